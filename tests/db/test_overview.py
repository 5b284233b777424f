"""How things stand."""

from db import overview
from db.connections import connected


async def test_an_idle_installation_has_nothing_waiting(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        seen = await overview.read(connection)
    assert (
        overview.Overview(feeds=[], processes=[], queue=overview.Queue(batches=0, ticks=0, oldest_seconds=0))
        == seen
    )


async def test_ages_are_told_by_the_servers_clock(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute(
            "INSERT INTO feeds VALUES ('kraken', 'wss://x', 'up', '{SOL/USD}',"
            " clock_timestamp() - interval '5 minutes', '', clock_timestamp())"
        )
        await connection.execute(
            "INSERT INTO batches VALUES (1, 1, 1, 12, '', clock_timestamp() - interval '1 hour')"
        )
        seen = await overview.read(connection)
    assert ("kraken", ["SOL/USD"], 5) == (
        seen.feeds[0].exchange,
        seen.feeds[0].symbols,
        round((seen.feeds[0].frame_age_seconds or 0) / 60),
    )
    assert (1, 12, 60) == (seen.queue.batches, seen.queue.ticks, round(seen.queue.oldest_seconds / 60))
