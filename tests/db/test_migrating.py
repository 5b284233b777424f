"""Migrations bring any database to the schema, once."""

import asyncio

import asyncpg
import pytest

from db import migrating
from db.connections import connected
from market.errors import StoreUnavailableError

pytestmark = pytest.mark.slow


async def test_the_migrated_database_is_what_the_schema_says(postgres_url: str) -> None:
    assert [] == await migrating.drift(postgres_url)


async def test_a_missing_column_shows_as_drift(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute("ALTER TABLE trades DROP COLUMN side")
    assert "side" in str(await migrating.drift(postgres_url))


async def test_many_migrations_at_once_migrate_once(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute("DROP SCHEMA public CASCADE")
        await connection.execute("CREATE SCHEMA public")
        current, newest = await migrating.status(postgres_url)
        assert None is current
        await asyncio.gather(*[migrating.migrate(postgres_url, shards=4) for _ in range(4)])
        assert (newest, newest) == await migrating.status(postgres_url)
        assert [0, 1, 2, 3] == [row[0] for row in await connection.fetch("SELECT shard FROM shards")]


async def test_the_number_of_shards_is_set_once(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        before = await connection.fetchval("SELECT count(*) FROM shards")
        await migrating.migrate(postgres_url, shards=before + 1)
        assert before == await connection.fetchval("SELECT count(*) FROM shards")


async def test_nobody_at_the_address_is_told_as_such() -> None:
    with pytest.raises(StoreUnavailableError, match="HELIOGRAPH_DATABASE_URL"):
        await migrating.status("postgresql://heliograph@127.0.0.1:1/heliograph")


async def test_an_epoch_differs_between_installations(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        first = await connection.fetchval("SELECT epoch FROM installation")
        await connection.execute("DROP SCHEMA public CASCADE")
        await connection.execute("CREATE SCHEMA public")
        await migrating.migrate(postgres_url, shards=1)
        assert first != await connection.fetchval("SELECT epoch FROM installation")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO installation VALUES (1, 'second', 1, 'key')")
