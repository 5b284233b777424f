"""The stores that every other test stands on."""

from pathlib import Path

import pytest
import redis.asyncio

from db.connections import connected
from heliograph.embedded.postgres import Postgres


async def test_a_database_is_migrated(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        assert await connection.fetchval("SELECT count(*) FROM shards") == 8


async def test_a_database_starts_empty_each_time(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        assert await connection.fetchval("SELECT count(*) FROM processes") == 0


async def test_valkey_answers(redis_url: str) -> None:
    async with redis.asyncio.from_url(redis_url) as client:
        assert await client.dbsize() == 0


@pytest.mark.slow
async def test_a_server_of_ones_own_can_be_restarted(postgres_server: Postgres) -> None:
    postgres_server.stop()
    postgres_server.start()
    async with connected(postgres_server.url, "test") as connection:
        assert await connection.fetchval("SELECT count(*) FROM shards") == 8


def test_recordings_are_found(recordings: Path) -> None:
    assert (recordings / "README.md").is_file()
