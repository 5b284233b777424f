"""How things stand."""

from typing import TYPE_CHECKING

import pytest

from db import overview
from db.connections import connected
from db.processes import forget_old

if TYPE_CHECKING:
    from db.connections import Connection


async def test_an_idle_installation_has_nothing_waiting(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        seen = await overview.read(connection)
    assert (
        overview.Overview(
            sockets=[],
            unheard=[],
            processes=[],
            ingesters=[],
            queue=overview.Queue(batches=0, ticks=0, oldest_seconds=0),
            repairs=overview.Repairs(dirty=0, staged=0, oldest_seconds=0, quarantines=0),
            gaps=overview.Gaps(open=0, healing=0, unrecoverable=0),
            failed_chores=[],
            differences=0,
        )
        == seen
    )


async def test_ages_are_told_by_the_servers_clock(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute(
            "INSERT INTO sockets VALUES ('here', 'kraken', 'wss://x', 1, 'up', '{SOL/USD}',"
            " clock_timestamp() - interval '5 minutes', '', clock_timestamp())"
        )
        await connection.execute(
            "INSERT INTO batches VALUES (1, 1, 1, 12, '', clock_timestamp() - interval '1 hour')"
        )
        await connection.execute(
            "INSERT INTO dirty (instrument_id, from_ts, to_ts, reason, created_at)"
            " VALUES (1, now(), now(), 'late', clock_timestamp() - interval '2 hours')"
        )
        seen = await overview.read(connection)
    assert ("kraken", ["SOL/USD"], 5) == (
        seen.sockets[0].exchange,
        seen.sockets[0].symbols,
        round((seen.sockets[0].frame_age_seconds or 0) / 60),
    )
    assert (1, 12, 60) == (seen.queue.batches, seen.queue.ticks, round(seen.queue.oldest_seconds / 60))
    assert (1, 0, 120) == (
        seen.repairs.dirty,
        seen.repairs.staged,
        round(seen.repairs.oldest_seconds / 60),
    )


@pytest.mark.parametrize(
    ("seen", "successor", "told"),
    [("1 second", False, True), ("3 hours", False, True), ("2 days", False, False), ("3 hours", True, False)],
)
async def test_a_process_that_died_is_told_until_another_takes_its_place(
    postgres_url: str, seen: str, *, successor: bool, told: bool
) -> None:
    async with connected(postgres_url, "test") as connection:
        await _add_process(connection, "dead", seen)
        if successor:
            await _add_process(connection, "successor", "0 seconds")
        dead = [row for row in (await overview.read(connection)).processes if row.process_id == "dead"]
    assert told == bool(dead)


async def test_totals_are_never_forgotten(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await _add_process(connection, "old", "30 days")
        await connection.execute(
            "INSERT INTO processes SELECT 'worker', 'worker-live', host, pid, started_at, seen_at,"
            " stopped_at, counters FROM processes"
        )
        await forget_old(connection)
        assert ["worker"] == [row[0] for row in await connection.fetch("SELECT process_id FROM processes")]


async def _add_process(connection: "Connection", name: str, seen: str) -> None:
    await connection.execute(
        "INSERT INTO processes VALUES ($1, 'scheduler', 'here', 1, clock_timestamp() - $2::text::interval,"
        " clock_timestamp() - $2::text::interval, NULL, '{}')",
        name,
        seen,
    )


async def test_a_wanted_feed_that_nobody_tells_of_is_named_after_some_seconds(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute(
            "INSERT INTO feeds (exchange, symbol, state, changed_at) VALUES"
            " ('kraken', 'SOL/USD', 'active', clock_timestamp() - interval '1 minute'),"
            " ('kraken', 'BTC/USD', 'active', clock_timestamp() - interval '1 minute'),"
            " ('kraken', 'ETH/USD', 'paused', clock_timestamp() - interval '1 minute'),"
            " ('kraken', 'XRP/USD', 'active', clock_timestamp())"
        )
        await connection.execute(
            "INSERT INTO sockets VALUES ('here', 'kraken', 'wss://x', 1, 'live', '{BTC/USD}',"
            " NULL, '', clock_timestamp())"
        )
        assert ["kraken:SOL/USD"] == (await overview.read(connection)).unheard


async def test_a_connection_that_never_heard_anything_is_silent_since_it_was_wanted(
    postgres_url: str,
) -> None:
    async with connected(postgres_url, "test") as connection:
        await _add_process(connection, "here", "2 hours")
        await connection.execute(
            "INSERT INTO feeds (exchange, symbol, state, changed_at) VALUES"
            " ('kraken', 'SOL/USD', 'active', clock_timestamp() - interval '5 minutes')"
        )
        await connection.execute(
            "INSERT INTO sockets VALUES ('here', 'kraken', 'wss://x', 1, 'waiting', '{SOL/USD}',"
            " NULL, '', clock_timestamp())"
        )
        [socket] = (await overview.read(connection)).sockets
    assert (None, 5) == (socket.frame_age_seconds, round((socket.silent_seconds or 0) / 60))


async def test_connections_of_a_process_that_ended_are_gone(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute(
            "INSERT INTO sockets VALUES ('gone', 'kraken', 'wss://x', 1, 'live', '{SOL/USD}',"
            " NULL, '', clock_timestamp() - interval '1 minute')"
        )
        assert [] == (await overview.read(connection)).sockets
