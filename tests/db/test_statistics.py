"""The planner knows how tables are filled: partitioned ones, and small ones that claims join."""

from db import statistics
from db.connections import connected
from db.partitions import ensure_days
from market.times import to_datetime

KNOWN = """
SELECT reltuples = (SELECT count(*) FROM shards) FROM pg_class WHERE oid = 'shards'::regclass
"""
AT_ONCE = """
SELECT relname FROM pg_class
WHERE reloptions @> '{autovacuum_analyze_scale_factor=0,autovacuum_analyze_threshold=0}'
ORDER BY relname
"""


async def test_what_every_claim_joins_is_analyzed_as_soon_as_it_changes(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        assert await connection.fetchval(KNOWN)
        found = [row["relname"] for row in await connection.fetch(AT_ONCE)]
        assert ["exchanges", "instruments", "shards", "writers"] == found


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
