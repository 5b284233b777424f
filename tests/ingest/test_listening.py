"""What a moment's listening tells of a venue."""

import asyncio
import json
from collections.abc import Sequence

import httpx
import pytest
from starlette.responses import Response
from websockets.asyncio.server import ServerConnection, serve

from bus import budgets
from db.feeds import WantedFeed
from ingest.listening import Heard, Listener
from ingest.outbound.budgets import Nobody
from ingest.outbound.opening import opened
from ingest.routes import Route
from ingest.settings import OutboundSettings
from ingest.venues.registry import venue
from market.errors import RateLimitedError
from market.instruments import Market
from market.times import SECOND, from_iso
from tests.ingest.exchange import Exchange
from tests.ingest.freely import freely
from tests.ingest.servers import scripted

pytestmark = pytest.mark.slow

SECONDS = 0.5
NOW = from_iso("2026-11-21T10:00:05Z")


async def heard(url: str, *symbols: str) -> Heard:
    feeds = [WantedFeed(exchange="kraken", symbol=symbol, stream_url=url) for symbol in symbols]
    route = Route.of(feeds[0])
    instruments = [route.venue.instrument(symbol) for symbol in symbols]
    async with httpx.AsyncClient() as http:
        return await Listener(route, instruments, freely(http), lambda: NOW).listen(SECONDS)


async def test_frames_ticks_and_the_clock_are_told() -> None:
    async with Exchange().serving() as exchange:
        listening = asyncio.create_task(heard(exchange.url, "SOL/USD", "BTC/USD"))
        await exchange.until(lambda: 2 == len(exchange.heard))
        await exchange.trade("SOL/USD", "SOL/USD", "BTC/USD")
        found = await listening
    assert (9, 6, {"trades": 3}, {}, []) == (
        found.frames,
        found.acknowledged,
        found.decoded,
        found.rejected,
        found.problems,
    )
    assert (NOW - from_iso("2026-11-21T10:00:02Z")) / SECOND == found.offset_seconds


async def test_what_the_venue_does_not_have_is_told_once() -> None:
    async with Exchange("SOL/USD").serving() as exchange:
        found = await heard(exchange.url, "SOL/USD")
    assert (["Currency pair not supported SOL/USD"], {}, None) == (
        found.problems,
        found.decoded,
        found.offset_seconds,
    )


async def test_what_is_not_understood_is_counted_and_told() -> None:
    found = await _heard_from(['{"what": 1}', "{not json"])
    assert (2, {"undecodable": 2}, 2) == (found.frames, found.rejected, len(found.problems))


async def test_a_venue_that_hangs_up_is_told() -> None:
    found = await _heard_from([])
    assert [True] == [problem.startswith("the venue closed the connection") for problem in found.problems]


async def test_a_venue_that_is_to_be_left_alone_is_not_even_connected_to(redis_url: str) -> None:
    async with Exchange().serving() as exchange:
        host = exchange.url.removeprefix("ws://")
        route = Route.of(WantedFeed(exchange="kraken", symbol="SOL/USD", stream_url=exchange.url))
        sol = route.venue.instrument("SOL/USD")
        async with (
            budgets.opened(redis_url) as shared,
            opened(shared, None, OutboundSettings()) as outbound,
        ):
            await shared.rest(f"kraken:spot:connections@{host}", 3600 * SECOND)
            with pytest.raises(RateLimitedError):
                await Listener(route, [sol], outbound, lambda: NOW).listen(SECONDS)
        assert 0 == exchange.opened


async def test_a_book_that_is_blocked_here_is_told_so() -> None:
    depth = {"s": "BTCUSDT", "E": 1_700_000_000_000, "U": 1, "u": 2, "b": [], "a": []}
    update = json.dumps({"stream": "btcusdt@depth@100ms", "data": depth})

    async def attend(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(update)
        await socket.wait_closed()

    async with (
        scripted(Response("not from there", 451)) as rest,
        serve(attend, "127.0.0.1", 0, close_timeout=0.1) as server,
        opened(Nobody(), None, OutboundSettings()) as outbound,
    ):
        port = next(iter(server.sockets)).getsockname()[1]
        route = Route("binance", Market.SPOT, None, f"ws://127.0.0.1:{port}", rest.url)
        btc = venue("binance").instrument("BTC/USDT")
        found = await Listener(route, [btc], outbound, lambda: NOW).listen(SECONDS)
    assert (1, ["blocks the country" in problem for problem in found.problems]) == (len(rest.asked), [True])


async def _heard_from(frames: Sequence[str]) -> Heard:
    async def attend(socket: ServerConnection) -> None:
        assert "subscribe" == json.loads(await socket.recv())["method"]
        for frame in frames:
            await socket.send(frame)
        if frames:
            await socket.wait_closed()

    async with serve(attend, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        return await heard(f"ws://127.0.0.1:{port}", "SOL/USD")
