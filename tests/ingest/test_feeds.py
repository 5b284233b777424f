"""One feed against a scripted venue: a real server on a real socket."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from db.instruments import Listed
from ingest.buffer import Arrival, Buffer
from ingest.continuity import Continuity
from ingest.feeds import Feed
from ingest.findings import merged
from ingest.intake import Intake
from ingest.routes import Route
from ingest.sockets import Patience
from ingest.tallies import Tallies
from ingest.venues.binance import Binance
from ingest.venues.venue import FRAMES, Reason
from market.errors import FeedError
from market.gaps import Cause
from market.instruments import Market
from market.times import SECOND
from runtime.backoff import delays
from runtime.clock import Clock, now
from tests.ingest.freely import freely

DEADLINE_SECONDS = 30
SYMBOL = "BTC/USDT"
BTC = Listed(1, 1, 1, Binance().instrument(SYMBOL))
ETH = Listed(2, 1, 1, Binance().instrument("ETH/USDT"))
PATIENCE = Patience(silence_seconds=20, acknowledge_within_seconds=20, look_every_seconds=0.01)

Behaviour = Callable[[ServerConnection], Awaitable[None]]


def frame(stream: str, **data: object) -> str:
    return json.dumps({"stream": f"btcusdt@{stream}", "data": {"s": "BTCUSDT", **data}})


def trade(number: int) -> str:
    moment = 1_700_000_000_000 + number
    return frame("trade", E=moment, T=moment, t=number, p="1.5", q="2", m=False)


def depth(first: int, last: int) -> str:
    return frame("depth@100ms", E=1_700_000_000_000, U=first, u=last, b=[["1", str(last)]], a=[])


def trade_ids(arrivals: list[Arrival]) -> list[int]:
    return [trade.trade_id for arrival in arrivals for trade in arrival.decoded.trades]


class Listening(ServerConnection):
    """A venue's end of a socket that tells when it was pinged."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pinged = asyncio.Event()
        self.answers_pings = True
        self._send_frame = self.protocol.send_frame
        self.protocol.send_frame = self._send  # type: ignore[method-assign]

    def _send(self, frame: Frame) -> None:
        if self.answers_pings or frame.opcode is not Opcode.PONG:
            self._send_frame(frame)

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pinged.set()
        super().process_event(event)


async def acknowledge(socket: ServerConnection) -> None:
    request = json.loads(await socket.recv())
    await socket.send(json.dumps({"result": None, "id": request["id"]}))


class TwoAddresses(Route, frozen=True):
    """A route of a venue of which nobody answers at the preferred address."""

    @property
    def stream_urls(self) -> tuple[str, ...]:
        return "ws://127.0.0.1:1/stream", *super().stream_urls


class TwoDoors(Route, frozen=True):
    """A route of a venue that has two addresses."""

    @property
    def stream_urls(self) -> tuple[str, ...]:
        [url] = {url.partition("/stream")[0] for url in super().stream_urls}
        return f"{url}/one", f"{url}/other"


class Bench:
    """A feed whose venue behaves as told, one behaviour a connection, the last for ever."""

    def __init__(self, *behaviours: Behaviour, patience: Patience = PATIENCE, bound: int = 1000) -> None:
        self._behaviours = list(behaviours)
        self._patience = patience
        self.books: list[httpx.Response] = []
        self.refused: list[tuple[str, str]] = []
        self.reconnect_delays: Callable[[], Iterator[float]] = lambda: delays(0.001, 0.01)
        self.route: type[Route] = Route
        self.clock: Clock = now
        self.buffer = Buffer(bound)
        self.tallies = Tallies(["binance"])
        self.connected = 0
        self.rest: list[Arrival] = []
        """What arrived after the test's own part."""
        self.stopping = asyncio.Event()

    async def _attend(self, socket: ServerConnection) -> None:
        behaviour = self._behaviours[min(self.connected, len(self._behaviours) - 1)]
        self.connected += 1
        with suppress(ConnectionClosed):
            await behaviour(socket)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v3/depth"
        return self.books.pop(0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Feed]:
        async with (
            asyncio.timeout(DEADLINE_SECONDS),
            serve(
                self._attend,
                "127.0.0.1",
                0,
                create_connection=Listening,
                ping_interval=None,
                close_timeout=0.1,
            ) as server,
            httpx.AsyncClient(transport=httpx.MockTransport(self._answer)) as http,
            asyncio.TaskGroup() as group,
        ):
            port = next(iter(server.sockets)).getsockname()[1]
            feed = self._feed(f"ws://127.0.0.1:{port}", http)
            task = group.create_task(feed.run(self.stopping))
            yield feed
            self.stopping.set()
            draining = group.create_task(self._drain())
            await task
            self.buffer.close()
            await draining

    async def _drain(self) -> None:
        while arrivals := await self.buffer.take(1000):
            self.rest += arrivals

    def _feed(self, url: str, http: httpx.AsyncClient) -> Feed:
        feed = Feed(
            self.route("binance", Market.SPOT, None, url, "http://books"),
            Intake("binance", self.buffer, self.tallies, Continuity(contiguous=True), {}),
            outbound=freely(http),
            patience=self._patience,
            reconnect_delays=self.reconnect_delays,
            clock=self.clock,
            refuse=lambda listed, reason: self.refused.append((listed.instrument.symbol, reason)),
        )
        feed.add(BTC)
        return feed

    async def arrivals(self, ticks: int) -> list[Arrival]:
        """Return what arrives, as soon as it is so many ticks."""
        found: list[Arrival] = []
        while sum(arrival.decoded.ticks for arrival in found) < ticks:
            found += await self.buffer.take(1000)
        return found

    async def trades(self, count: int) -> list[int]:
        return trade_ids(await self.arrivals(count))


async def say(socket: ServerConnection, *messages: str | bytes) -> None:
    await acknowledge(socket)
    for message in messages:
        await socket.send(message)
    await socket.wait_closed()


async def test_a_feed_is_live_once_its_subscriptions_are_acknowledged() -> None:
    bench = Bench(lambda socket: say(socket, trade(1), trade(2)))
    async with bench.running() as feed:
        assert [1, 2] == await bench.trades(2)
        state = feed.state()
        assert ("live", "binance", (SYMBOL,)) == (state.state, state.exchange, state.symbols)
        assert state.last_frame_at is not None
    assert feed.state().state == "stopped"


async def test_when_a_venue_was_heard_last_is_known_while_it_does_not_answer() -> None:
    async def vanish(socket: ServerConnection) -> None:
        await acknowledge(socket)
        await socket.send(trade(1))
        await socket.close()

    again = asyncio.Event()

    async def refuse(socket: ServerConnection) -> None:
        again.set()
        await socket.wait_closed()

    bench = Bench(vanish, refuse)
    async with bench.running() as feed:
        await bench.trades(1)
        heard_at = feed.state().last_frame_at
        await again.wait()
        assert heard_at is not None
        assert heard_at <= (feed.state().last_frame_at or 0)


async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    bench = Bench(lambda socket: say(socket, trade(1)))
    bench.route = TwoAddresses
    async with bench.running() as feed:
        assert [1] == await bench.trades(1)
        assert feed.state().url != "ws://127.0.0.1:1/stream"


async def test_the_next_address_is_tried_where_one_opens_and_serves_nobody() -> None:
    bench = Bench(ServerConnection.close, lambda socket: say(socket, trade(1)))
    bench.route = TwoDoors
    async with bench.running() as feed:
        assert [1] == await bench.trades(1)
        assert feed.state().url.endswith("/other")


async def test_the_address_that_served_is_kept_when_it_cuts() -> None:
    async def cut(socket: ServerConnection) -> None:
        await acknowledge(socket)
        await socket.send(trade(1))
        await socket.close()

    bench = Bench(cut, lambda socket: say(socket, trade(2)))
    bench.route = TwoDoors
    async with bench.running() as feed:
        assert [1, 2] == await bench.trades(2)
        assert feed.state().url.endswith("/one")


@pytest.mark.slow
async def test_what_leaves_and_comes_back_in_one_moment_is_proven_again() -> None:
    async def behaviour(socket: ServerConnection) -> None:
        await acknowledge(socket)
        await socket.send(trade(1))
        await back.wait()
        for number in itertools.count(1):
            await socket.send(trade(number * 100))

    back = asyncio.Event()
    bench = Bench(behaviour)
    async with bench.running() as feed:
        assert [1] == await bench.trades(1)
        feed.remove(BTC)
        feed.add(BTC)
        back.set()
        found: list[Arrival] = []
        while BTC.instrument_id not in proven(found):
            found += await bench.buffer.take(1000)
        assert feed.connections == 1


def proven(arrivals: list[Arrival]) -> set[int]:
    return {proof.instrument_id for arrival in arrivals for proof in arrival.findings.proofs}


async def test_a_cut_connection_is_made_again() -> None:
    async def cut(socket: ServerConnection) -> None:
        await acknowledge(socket)
        await socket.send(trade(1))
        await socket.close()

    async def abort(socket: ServerConnection) -> None:
        socket.transport.abort()

    bench = Bench(cut, abort, lambda socket: say(socket, trade(2)))
    async with bench.running() as feed:
        assert [1, 2] == await bench.trades(2)
    assert (3, 3) == (bench.connected, feed.connections)


async def test_what_a_cut_connection_missed_is_found_with_the_first_trade_after() -> None:
    async def cut(socket: ServerConnection) -> None:
        await acknowledge(socket)
        await socket.send(trade(1))
        await socket.close()

    bench = Bench(cut, lambda socket: say(socket, trade(5)))
    async with bench.running():
        arrivals = await bench.arrivals(2)
    [gap] = merged(arrival.findings for arrival in arrivals).gaps
    assert (Cause.RECONNECT, 1, 5) == (gap.cause, gap.after_id, gap.before_id)


async def test_a_connection_that_is_of_no_use_is_made_again() -> None:
    bench = Bench(lambda socket: say(socket, trade(1)), lambda socket: say(socket, trade(2)))
    async with bench.running() as feed:
        assert [1] == await bench.trades(1)
        await feed.renew("mute")
        assert [2] == await bench.trades(1)
    assert bench.connected == 2


async def test_what_was_read_before_the_end_is_in_the_buffer() -> None:
    bench = Bench(lambda socket: say(socket, *map(trade, range(100))))
    async with bench.running():
        first = await bench.trades(1)
    every = first + trade_ids(bench.rest)
    assert list(range(len(every))) == every


async def test_an_undecodable_frame_is_kept_whole_and_the_feed_goes_on() -> None:
    bench = Bench(lambda socket: say(socket, trade(1), b"\xff\x00broken", "{not json", trade(2)))
    async with bench.running():
        decoded = [arrival.decoded for arrival in await bench.arrivals(4)]
    rejections = [rejection for each in decoded for rejection in each.rejections]
    assert [(FRAMES, Reason.UNDECODABLE, b"\xff\x00broken"), (FRAMES, Reason.UNDECODABLE, b"{not json")] == [
        (each.kind, each.reason, each.payload) for each in rejections
    ]
    assert [1, 2] == [trade.trade_id for each in decoded for trade in each.trades]


@pytest.mark.parametrize("poison", ["[" * 100_000, '{"stream":"btcusdt@trade","data":' + "[" * 100_000])
async def test_a_frame_that_nests_too_deeply_is_kept_whole_and_the_feed_goes_on(poison: str) -> None:
    async def behave(socket: ServerConnection) -> None:
        await acknowledge(socket)
        await socket.send(poison)
        await socket.send(trade(1))
        await socket.wait_closed()

    bench = Bench(behave)
    async with bench.running():
        [undecodable] = await bench.buffer.take(1)
        assert [1] == trade_ids(await bench.buffer.take(1))
    assert [poison.encode()] == [each.payload for each in undecodable.decoded.rejections]
    assert 1 == bench.connected


async def test_a_venue_that_acknowledges_and_cuts_is_left_alone_for_longer_and_longer() -> None:
    longer = asyncio.Event()

    def counted() -> Iterator[float]:
        for number, delay in enumerate(delays(0.001, 0.01)):
            if number == 3:
                longer.set()
            yield delay

    bench = Bench(acknowledge)
    bench.reconnect_delays = counted
    async with bench.running():
        await longer.wait()
    assert bench.connected > 3


async def test_a_refused_subscription_is_told_and_tried_again() -> None:
    async def refuse(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"code":2,"msg":"Invalid request","id":1}')
        await socket.wait_closed()

    async def be_refused(socket: ServerConnection) -> None:
        seen.append(feed.state().state)
        await say(socket, trade(1))

    seen: list[str] = []
    bench = Bench(refuse, be_refused)
    async with bench.running() as feed:
        assert [1] == await bench.trades(1)
    assert bench.connected == 2


async def test_a_venue_that_answers_no_subscription_is_left() -> None:
    patience = Patience(silence_seconds=20, acknowledge_within_seconds=0.02, look_every_seconds=0.01)
    bench = Bench(ServerConnection.wait_closed, lambda socket: say(socket, trade(1)), patience=patience)
    async with bench.running():
        assert [1] == await bench.trades(1)
    assert bench.connected == 2


async def test_a_symbol_that_is_not_answered_is_asked_about_again_beside_its_neighbours() -> None:
    async def behaviour(socket: ServerConnection) -> None:
        await acknowledge(socket)
        await socket.send(trade(1))
        await socket.recv()
        await socket.send(trade(2))
        left.append(json.loads(await socket.recv())["method"])
        for number in itertools.count(3):
            await acknowledge(socket)
            await socket.send(trade(number))

    left: list[str] = []
    patience = Patience(silence_seconds=20, acknowledge_within_seconds=0.1, look_every_seconds=0.01)
    bench = Bench(behaviour, patience=patience)
    async with bench.running() as feed:
        assert [1] == await bench.trades(1)
        feed.add(ETH)
        assert [2] == await bench.trades(1)
        assert (True, False) == (feed.live(BTC), feed.live(ETH))
        while not feed.live(ETH):
            await bench.trades(1)
        assert ["UNSUBSCRIBE"] == left
        assert (1, True, "") == (feed.connections, feed.live(BTC), feed.state().detail)


async def test_a_symbol_that_was_refused_is_asked_for_again_beside_its_neighbours() -> None:
    async def behaviour(socket: ServerConnection) -> None:
        await acknowledge(socket)
        await socket.send(trade(0))
        request = json.loads(await socket.recv())
        await socket.send(json.dumps({"error": {"code": 3, "msg": "Too many"}, "id": request["id"]}))
        await socket.send(trade(1))
        await socket.recv()
        for number in itertools.count(2):
            await acknowledge(socket)
            await socket.send(trade(number))

    patience = Patience(
        silence_seconds=20,
        acknowledge_within_seconds=20,
        look_every_seconds=0.01,
        ask_again_after_seconds=0.1,
    )
    bench = Bench(behaviour, patience=patience)
    async with bench.running() as feed:
        assert [0] == await bench.trades(1)
        feed.add(ETH)
        assert [1] == await bench.trades(1)
        assert (False, "Too many (3)") == (feed.live(ETH), feed.state().detail)
        assert [2] == await bench.trades(1)
        assert (1, True, True, "") == (
            feed.connections,
            feed.live(BTC),
            feed.live(ETH),
            feed.state().detail,
        )


async def test_an_answer_that_waits_behind_a_full_buffer_is_waited_for() -> None:
    left = asyncio.Event()

    async def behaviour(socket: ServerConnection) -> None:
        request = json.loads(await socket.recv())
        for number in range(20):
            await socket.send(trade(number))
        await socket.send(json.dumps({"result": None, "id": request["id"]}))
        await socket.wait_closed()
        left.set()

    impatient = Patience(silence_seconds=20, acknowledge_within_seconds=0.05, look_every_seconds=0.01)
    bench = Bench(behaviour, patience=impatient, bound=10)
    async with bench.running() as feed:
        with suppress(TimeoutError):
            await asyncio.wait_for(left.wait(), 0.5)
        assert not left.is_set()
        assert list(range(20)) == await bench.trades(20)
        assert 1 == feed.connections


@pytest.mark.slow
async def test_a_venue_that_answers_no_ping_is_left_and_one_that_does_is_kept() -> None:
    async def freeze(socket: ServerConnection) -> None:
        await acknowledge(socket)
        socket.transport.pause_reading()
        await socket.wait_closed()

    async def be_quiet(socket: ServerConnection) -> None:
        assert isinstance(socket, Listening)
        await acknowledge(socket)
        await socket.pinged.wait()
        await socket.send(trade(1))
        await socket.wait_closed()

    patience = Patience(silence_seconds=0.05, acknowledge_within_seconds=20, look_every_seconds=0.01)
    bench = Bench(freeze, be_quiet, patience=patience)
    async with bench.running():
        assert [1] == await bench.trades(1)
    assert bench.connected == 2


@pytest.mark.slow
async def test_a_venue_that_freezes_is_left_though_our_clock_is_set_back() -> None:
    async def freeze(socket: ServerConnection) -> None:
        await acknowledge(socket)
        socket.transport.pause_reading()
        await socket.wait_closed()

    patience = Patience(silence_seconds=0.05, acknowledge_within_seconds=20, look_every_seconds=0.01)
    bench = Bench(freeze, lambda socket: say(socket, trade(1)), patience=patience)
    moments = itertools.count(now(), -SECOND)
    bench.clock = lambda: next(moments)
    async with bench.running():
        assert [1] == await bench.trades(1)


async def test_a_venue_that_answers_no_ping_and_speaks_is_kept() -> None:
    async def mumble(socket: ServerConnection) -> None:
        assert isinstance(socket, Listening)
        socket.answers_pings = False
        await acknowledge(socket)
        for number in range(3):
            await socket.pinged.wait()
            socket.pinged.clear()
            await socket.send(trade(number))
        await socket.wait_closed()

    patience = Patience(silence_seconds=0.05, acknowledge_within_seconds=20, look_every_seconds=0.01)
    bench = Bench(mumble, patience=patience)
    async with bench.running():
        assert [0, 1, 2] == await bench.trades(3)
    assert bench.connected == 1


@pytest.mark.slow
async def test_while_the_buffer_is_full_the_socket_is_not_read() -> None:
    async def flood(socket: ServerConnection) -> None:
        await acknowledge(socket)
        for number in range(100_000):
            await socket.send(trade(number))
        sent_all.set()
        await socket.wait_closed()

    sent_all = asyncio.Event()
    bench = Bench(flood, bound=10)
    async with bench.running():
        while not bench.buffer.full:  # noqa: ASYNC110 - it tells only those who put
            await asyncio.sleep(0)
        assert (10, False) == (bench.buffer.size, sent_all.is_set())
    every = trade_ids(bench.rest)
    assert list(range(len(every))) == every


async def test_a_book_is_fetched_again_until_it_fits_the_updates() -> None:
    bench = Bench(lambda socket: say(socket, depth(100, 110), depth(111, 120)))
    old = {"lastUpdateId": 50, "bids": [], "asks": []}
    bench.books = [
        httpx.Response(500),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b'{"lastUpdateId":1,"bids":[["1\xff","1"]],"asks":[]}'),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, json=old),
        httpx.Response(200, json={**old, "lastUpdateId": 105}),
    ]
    async with bench.running():
        arrivals = await bench.arrivals(2)
    assert [110, 120] == [each.update_id for arrival in arrivals for each in arrival.decoded.depths]
    assert not bench.books


async def test_updates_that_never_got_their_book_are_rejected_when_the_socket_closes() -> None:
    bench = Bench(lambda socket: say(socket, depth(100, 110), depth(111, 120), trade(1)))
    bench.books = [httpx.Response(500)] * 10_000
    async with bench.running():
        assert [1] == await bench.trades(1)
    reasons = [rejection.reason for arrival in bench.rest for rejection in arrival.decoded.rejections]
    assert [Reason.BOOK_INVALID] * 2 == reasons


def test_a_feed_error_may_be_tried_again() -> None:
    assert FeedError.retryable
