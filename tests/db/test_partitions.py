"""Day partitions: ahead, on demand, beside others, and beside readers."""

import asyncio
from datetime import date

import asyncpg
import pytest

from db.connections import connected
from db.partitions import HOT, days_ahead, ensure_days, existing_days
from db.schema import metadata
from market.times import DAY, from_iso

DAYS = [date(2024, 8, 9), date(2021, 4, 17)]


def test_what_the_schema_partitions_by_day_is_hot() -> None:
    by_day = {name for name, table in metadata.tables.items() if table.kwargs["postgresql_partition_by"]}
    assert set(HOT) == by_day


async def test_days_are_made_once_however_many_ask_at_the_same_time(postgres_url: str) -> None:
    async def ask() -> None:
        async with connected(postgres_url, "test") as connection:
            await ensure_days(connection, DAYS)

    await asyncio.gather(*[ask() for _ in range(6)])
    async with connected(postgres_url, "test") as connection:
        for table in HOT:
            assert sorted(DAYS) == await existing_days(connection, table)


async def test_a_day_is_made_while_somebody_reads_the_table(postgres_url: str) -> None:
    async with connected(postgres_url, "reader") as reader, connected(postgres_url, "test") as connection:
        await ensure_days(connection, DAYS[:1])
        async with reader.transaction():
            await reader.fetch("SELECT * FROM trades")
            await connection.execute("SET lock_timeout = '5s'")
            await ensure_days(connection, DAYS[1:])
    async with connected(postgres_url, "test") as connection:
        assert sorted(DAYS) == await existing_days(connection, "trades")


async def test_other_tables_are_refused(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        with pytest.raises(asyncpg.RaiseError, match="not partitioned"):
            await connection.fetchval("SELECT heliograph_ensure_day('signals', '2024-08-09')")


def test_days_ahead_begin_today() -> None:
    midnight = from_iso("2026-11-21T00:00:00Z")
    expected = [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)]
    assert expected == days_ahead(midnight - 1, 2)
    assert expected[1:] == days_ahead(midnight + DAY - 1, 1)
