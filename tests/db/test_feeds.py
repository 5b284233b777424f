"""Subscriptions as rows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from db import feeds, sockets
from db.connections import connected
from db.feeds import FeedName, WantedFeed
from db.sockets import SocketState
from market.errors import SaturatedError, UnknownFeedError

if TYPE_CHECKING:
    from db.connections import Connection

WAITS = "SELECT cardinality(pg_blocking_pids($1)) > 0"
SOL = WantedFeed(exchange="kraken", symbol="SOL/USD")
BTC = WantedFeed(exchange="kraken", symbol="BTC/USD", protocol="v1", stream_url="ws://a", rest_url="http://a")


@pytest.fixture
async def connection(postgres_url: str) -> "AsyncIterator[Connection]":
    async with connected(postgres_url, "test") as opened:
        yield opened


async def states(connection: "Connection") -> dict[str, str]:
    return {row.symbol: row.state for row in await feeds.feeds(connection)}


def changes(found: list[feeds.Change]) -> list[str]:
    return [each.change for each in found]


async def test_a_feed_is_added_once(connection: "Connection") -> None:
    assert ["added", "added"] == changes(await feeds.add(connection, [SOL, BTC]))
    (same,) = await feeds.add(connection, [BTC])
    assert ("unchanged", "active", "v1", "ws://a", "http://a") == (
        same.change,
        same.feed.state,
        same.feed.protocol,
        same.feed.stream_url,
        same.feed.rest_url,
    )


async def test_other_addresses_take_the_place_of_those_before(connection: "Connection") -> None:
    await feeds.add(connection, [SOL, BTC])
    elsewhere = WantedFeed(exchange="kraken", symbol="BTC/USD", stream_url="ws://b")
    (changed,) = await feeds.add(connection, [elsewhere])
    assert ("changed", None, "ws://b", None) == (
        changed.change,
        changed.feed.protocol,
        changed.feed.stream_url,
        changed.feed.rest_url,
    )


async def test_a_paused_feed_that_is_offered_again_stays_paused_and_a_closed_one_is_tried_again(
    connection: "Connection",
) -> None:
    await feeds.offer(connection, [SOL, BTC])
    await feeds.pause(connection, [SOL.name])
    found = {row.symbol: row.feed_id for row in await feeds.feeds(connection)}
    await feeds.close(connection, found["BTC/USD"], "not listed")
    await feeds.close(connection, found["SOL/USD"], "not listed")
    assert {"BTC/USD": "closed", "SOL/USD": "paused"} == await states(connection)
    await feeds.offer(connection, [SOL, BTC])
    assert {"BTC/USD": "active", "SOL/USD": "paused"} == await states(connection)
    assert [""] * 2 == [row.reason for row in await feeds.feeds(connection)]


async def test_what_is_removed_can_be_added_again(connection: "Connection") -> None:
    await feeds.add(connection, [SOL, BTC])
    assert ["removed"] == changes(await feeds.remove(connection, [SOL.name]))
    assert {"BTC/USD": "active"} == await states(connection)
    assert ["added"] == changes(await feeds.add(connection, [SOL]))


async def test_pausing_and_resuming_tell_what_they_changed(connection: "Connection") -> None:
    await feeds.add(connection, [SOL, BTC])
    assert ["paused"] == changes(await feeds.pause(connection, [SOL.name]))
    assert ["unchanged", "paused"] == changes(await feeds.pause(connection, [SOL.name, BTC.name]))
    assert ["resumed"] == changes(await feeds.resume(connection, [SOL.name]))


async def test_an_unknown_feed_is_told_with_what_is_near_and_nothing_is_changed(
    connection: "Connection",
) -> None:
    await feeds.add(connection, [SOL, BTC])
    with pytest.raises(UnknownFeedError, match="no feed kraken:SOLUSD; did you mean kraken:SOL/USD"):
        await feeds.remove(connection, [BTC.name, FeedName("kraken", "SOLUSD")])
    assert 2 == len(await feeds.feeds(connection))


@pytest.mark.parametrize("change", [feeds.pause, feeds.remove])
async def test_who_changes_a_feed_waits_for_who_removes_it(
    connection: "Connection",
    postgres_url: str,
    change: "Callable[[Connection, Sequence[FeedName]], Awaitable[list[feeds.Change]]]",
) -> None:
    await feeds.add(connection, [SOL])

    async def changed(another: "Connection") -> None:
        async with another.transaction():
            await change(another, [SOL.name])

    async with connected(postgres_url, "test late") as another:
        async with connection.transaction():
            await feeds.remove(connection, [SOL.name])
            late = asyncio.create_task(changed(another))
            while not await connection.fetchval(WAITS, another.get_server_pid()):
                pass
        with pytest.raises(UnknownFeedError):
            await late


async def test_who_listens_is_told_beside_a_feed(connection: "Connection") -> None:
    await feeds.add(connection, [SOL, BTC])
    state = SocketState(
        exchange="kraken", url="wss://a", state="live", symbols=("SOL/USD",), last_frame_at=5, detail=""
    )
    await sockets.tell(connection, "here:1:2", [state])
    assert [("BTC/USD", None, None, None), ("SOL/USD", "here:1:2", "live", 5)] == [
        (row.symbol, row.process, row.socket, row.last_frame_at) for row in await feeds.feeds(connection)
    ]


async def test_ingesters_are_notified_of_a_change(connection: "Connection", postgres_url: str) -> None:
    heard = asyncio.Event()

    def hear(*_: Any) -> None:
        heard.set()

    async with connected(postgres_url, "test") as listening, asyncio.timeout(20):
        await listening.add_listener(feeds.CHANNEL, hear)
        await feeds.add(connection, [SOL])
        await heard.wait()


BEAT = """
INSERT INTO processes VALUES
    ($1, 'ingest', 'here', 1, clock_timestamp(), clock_timestamp(), $2, jsonb_build_object('writer',
     jsonb_build_object('saturated', $3::int = 1)))
"""


async def test_new_feeds_are_refused_while_every_running_ingester_is_saturated(
    connection: "Connection",
) -> None:
    await feeds.add(connection, [SOL])
    await connection.execute(BEAT, "one", None, 1)
    await connection.execute(BEAT, "ended", 5, 0)
    with pytest.raises(SaturatedError, match="start another ingester"):
        await feeds.add(connection, [BTC])
    assert ["unchanged"] == changes(await feeds.add(connection, [SOL]))
    await connection.execute(BEAT, "other", None, 0)
    assert ["added"] == changes(await feeds.add(connection, [BTC]))
