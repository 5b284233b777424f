"""What a database held before a migration is there after it, where it belongs."""

from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

from db import migrating
from db.connections import connected
from db.history import trades
from db.history.windows import Window
from db.partitions import day_of, ensure_days
from market.times import DAY, HOUR, MINUTE, SECOND
from market.trades import Trade
from tests.conftest import SHARDS

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = 1_733_270_400 * SECOND
BAR = "INSERT INTO bars VALUES (7, $1, $2, 1, 2, 0.5, 1.5, 10, 15, 6, 4, 3, 'live')"


def upgrade(connection: "Connection", revision: str) -> None:
    """Migrate as db.migrating does, but not to the end."""
    config = Config()
    config.set_main_option("script_location", str(migrating._FOLDER))
    config.attributes["connection"] = connection
    config.attributes["shards"] = SHARDS
    command.upgrade(config, revision)


async def test_hours_move_to_their_table_and_bars_of_five_minutes_are_asked_for(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute("DROP SCHEMA public CASCADE")
        await connection.execute("CREATE SCHEMA public")
        await migrating._run("migrating", postgres_url, upgrade, "0003")
        for seconds, start in ((1, T + 7 * MINUTE), (60, T + 7 * MINUTE), (3600, T), (3600, T + HOUR)):
            await connection.execute(BAR, seconds, start)
        await migrating.migrate(postgres_url, SHARDS)
        hours = await connection.fetch("SELECT instrument_id, start, trades, source FROM bars_1h ORDER BY 2")
        left = await connection.fetch("SELECT DISTINCT interval_seconds FROM bars")
        dirty = await connection.fetch("SELECT instrument_id, from_ts, to_ts, reason FROM dirty")
    assert [(7, T, 3, "live"), (7, T + HOUR, 3, "live")] == [tuple(row) for row in hours]
    assert {1, 60} == {row["interval_seconds"] for row in left}
    assert (7, T + 5 * MINUTE, T + 15 * MINUTE, "upgraded") in [tuple(row) for row in dirty]


async def test_trades_of_days_from_before_stay_where_they_are_in_a_table_of_other_columns(
    postgres_url: str,
) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute("DROP SCHEMA public CASCADE")
        await connection.execute("CREATE SCHEMA public")
        await migrating._run("migrating", postgres_url, upgrade, "0016")
        await ensure_days(connection, [day_of(T)])
        await connection.execute("INSERT INTO trades VALUES (1, 7, $1, 3, 10.5, 2.5, -1, $1)", T)
        await migrating.migrate(postgres_url, SHARDS)
        await ensure_days(connection, [day_of(T + DAY)])
        await connection.execute("INSERT INTO trades VALUES (1, 1, 7, $1, 4, 11.5, 3.5, $1)", T + DAY)
        again = "INSERT INTO trades VALUES (1, 1, 7, $1, 3, 9, 9, $1) ON CONFLICT DO NOTHING"
        assert "INSERT 0 0" == await connection.execute(again, T)
        read = await trades.read(connection, Window(limit=9), exchange_id=1, instrument_ids=[7])
    assert [Trade(7, T, 3, 10.5, 2.5, -1, T), Trade(7, T + DAY, 4, 11.5, 3.5, 1, T + DAY)] == read
    assert [] == await migrating.drift(postgres_url)
