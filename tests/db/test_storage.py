"""What the database takes, and that keys of closed days are packed while they are read and written."""

from datetime import date
from typing import TYPE_CHECKING

import pytest

from db import storage
from db.connections import connected
from db.partitions import day_of, ensure_days
from market.times import DAY, from_iso

if TYPE_CHECKING:
    from db.connections import Connection

T = from_iso("2026-11-20")
AIM_BYTES = 120
TRADES = 60_000

FILL = """
INSERT INTO trades
SELECT 1, 1, 1 + (hashint4(n) & 15),
       to_timestamp(0) + ($1::bigint + n * 1000::bigint) * interval '1 microsecond', n,
       65000.1, 0.001, now()
FROM generate_series($2::int, $3::int) AS n
"""


async def fill(connection: "Connection", ts: int) -> None:
    await ensure_days(connection, [day_of(ts)])
    for first in range(0, TRADES, 500):
        await connection.execute(FILL, ts, first, first + 499)


def of(found: storage.Storage, name: str) -> storage.Relation:
    [relation] = [each for each in found.relations if each.name == name]
    return relation


@pytest.mark.slow
async def test_a_closed_day_takes_no_more_than_the_aim_for_a_trade(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, T)
        await fill(connection, T + DAY)
        before = await storage.read(connection)
        packed = await storage.pack(connection, date(2026, 11, 21))
        after = await storage.read(connection)
        assert [] == await storage.pack(connection, date(2026, 11, 21))
    assert ["trades_20261120_pkey"] == [each.index for each in packed]
    assert packed[0].after_bytes < packed[0].before_bytes
    assert of(after, "trades_20261120").total_bytes < AIM_BYTES * TRADES
    assert of(after, "trades_20261121") == of(before, "trades_20261121")


async def test_a_day_is_told_with_its_table_and_its_parts(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await ensure_days(connection, [day_of(T)])
        await connection.execute(FILL, T, 1, 100)
        await storage.sample(connection, anew=False)
        found = await storage.read(connection)
    day = of(found, "trades_20261120")
    assert ("trades", date(2026, 11, 20), 100) == (day.table, day.day, day.rows)
    assert day.total_bytes == day.heap_bytes + day.index_bytes + day.other_bytes
    assert {"trades_pkey", "trades_ts_idx"} == {
        each.index for each in found.indexes if each.table == "trades"
    }
    assert found.database_bytes > sum(each.total_bytes for each in found.relations)


async def test_one_packs_at_a_time(postgres_url: str) -> None:
    async with connected(postgres_url, "one") as one, connected(postgres_url, "other") as other:
        await one.fetchval("SELECT pg_advisory_lock($1)", storage._PACKING)
        assert [] == await storage.pack(other, date(2026, 11, 21))


async def test_what_an_interrupted_packing_left_is_dropped(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await ensure_days(connection, [day_of(T)])
        await connection.execute("CREATE INDEX left_ccnew ON trades_20261120 (ts)")
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'left_ccnew'::regclass"
        )
        await storage.pack(connection, date(2026, 11, 21))
        assert await connection.fetchval("SELECT to_regclass('left_ccnew')") is None
