"""The planner knows how partitioned tables are filled."""

from db import statistics
from db.connections import connected
from db.partitions import ensure_days
from market.times import to_datetime


async def test_partitioned_tables_are_sampled_as_a_whole(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await ensure_days(connection, [to_datetime(0).date()])
        await connection.execute(
            "INSERT INTO quotes SELECT 1, 1, to_timestamp(n), n, 1, 1, 2, 1, to_timestamp(n)"
            " FROM generate_series(1, 9) AS n"
        )
        assert 3 == await statistics.refresh(connection)
        found = await connection.fetchval(
            "SELECT count(*) FROM pg_stats WHERE tablename = 'quotes' AND inherited"
        )
        assert found > 0
