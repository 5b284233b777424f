import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from market.instruments import Market
from sim.generator import GeneratedTape, Plan
from sim.messages import Message
from sim.pacing import MAX, Pace
from sim.protocols import named
from sim.protocols.protocol import Topic
from sim.recordings import Frame
from sim.server import Manners, SimulatedVenue
from sim.tapes import Contents, RecordedTape, Tape

TRADES = [f'{{"stream":"bnbbtc@trade","data":{{"t":{n}}}}}' for n in range(300)]
QUOTES = [f'{{"stream":"bnbbtc@bookTicker","data":{{"u":{n}}}}}' for n in range(300)]
BOTH = [text for pair in zip(TRADES, QUOTES, strict=True) for text in pair]
FEEDS = ("trade", "bookTicker", "depth")


class TypedTape:
    """Frames typed by hand; ``pulled`` counts those taken so far."""

    waits = True

    def __init__(self, frames: Iterable[str], feeds: Iterable[str] = ("trade", "bookTicker")) -> None:
        self._frames = frames
        self.pulled = 0
        self.contents = Contents(Market.SPOT, frozenset(Topic(feed, "BNBBTC") for feed in feeds))

    def frames(self) -> Iterator[Frame]:
        for text in self._frames:
            self.pulled += 1
            yield Frame(self.pulled, text.encode())

    def opening(self, topic: Topic) -> Sequence[Message]:  # noqa: ARG002
        return ()

    def snapshot(self, symbol: str) -> bytes | None:
        book = b'{"lastUpdateId":160,"bids":[["2","1"],["1","1"]],"asks":[["3","1"],["4","1"]]}'
        return book if symbol == "BNBBTC" else None


@asynccontextmanager
async def playing(
    tape: Tape,
    venue: str = "binance",
    connections: int = 1,
    settle_seconds: float = 0.05,
    **further: Any,
) -> AsyncIterator[SimulatedVenue]:
    manners = Manners(connections=connections, settle_seconds=settle_seconds, **further)
    sim = SimulatedVenue(named(venue), tape, Pace(MAX), manners)
    async with asyncio.timeout(60), sim.serving():
        yield sim


@asynccontextmanager
async def connected(sim: SimulatedVenue, path: str = "/stream") -> AsyncIterator[ClientConnection]:
    async with connect(sim.stream_url + path, compression=None, max_size=None, close_timeout=0.1) as socket:
        yield socket


async def subscribe(socket: ClientConnection, *streams: str) -> None:
    await socket.send(json.dumps({"method": "SUBSCRIBE", "params": streams, "id": 1}))
    assert json.loads(await socket.recv()) == {"result": None, "id": 1}


async def heard(socket: ClientConnection, count: int) -> list[str]:
    return [str(await socket.recv()) for _ in range(count)]


async def status(sim: SimulatedVenue) -> Any:  # noqa: ANN401 - parsed JSON
    async with httpx.AsyncClient(base_url=sim.rest_url) as client:
        return (await client.get("/sim/status")).json()


async def test_every_frame_of_what_was_asked_for_comes_in_order_and_is_counted() -> None:
    async with playing(TypedTape(BOTH)) as sim, connected(sim) as socket:
        await subscribe(socket, "bnbbtc@trade", "bnbbtc@bookTicker")
        assert await heard(socket, 600) == BOTH
        await sim.finished.wait()
        expected = {
            "venue": "binance",
            "protocol": None,
            "market": "spot",
            "symbols": ["BNB/BTC"],
            "venue_symbols": ["BNBBTC"],
            "finished": True,
            "cut": False,
            "offered": {"trades": 300, "quotes": 300, "depths": 0},
            "frames": 600,
            "unreadable": 0,
            "connections": 1,
            "cut_off": 0,
        }
        assert expected == await status(sim)


async def test_what_nobody_asked_for_is_neither_sent_nor_counted() -> None:
    async with playing(TypedTape(BOTH)) as sim, connected(sim) as socket:
        await subscribe(socket, "bnbbtc@trade")
        assert await heard(socket, 300) == TRADES
        await sim.finished.wait()
        assert (await status(sim))["offered"] == {"trades": 300, "quotes": 0, "depths": 0}


async def test_nothing_is_played_before_somebody_subscribes() -> None:
    tape = TypedTape(BOTH)
    async with playing(tape) as sim, connected(sim) as socket:
        await (await socket.ping())
        assert (await status(sim))["connections"] == 1
        assert tape.pulled == 0


async def test_two_connections_hear_the_same_and_both_are_counted() -> None:
    tape = TypedTape(TRADES, ["trade"])
    async with playing(tape, connections=2) as sim, connected(sim) as one, connected(sim) as two:
        await subscribe(one, "bnbbtc@trade")
        await (await one.ping())
        assert tape.pulled == 0
        await subscribe(two, "bnbbtc@trade")
        assert await heard(one, 300) == await heard(two, 300) == TRADES
        await sim.finished.wait()
        assert (await status(sim))["offered"]["trades"] == 600


async def test_the_address_subscribes_at_once() -> None:
    async with (
        playing(TypedTape(TRADES, ["trade"])) as sim,
        connected(sim, "/stream?streams=bnbbtc@trade") as socket,
    ):
        assert await heard(socket, 300) == TRADES


async def test_what_cannot_be_read_goes_to_everybody() -> None:
    async with (
        playing(TypedTape([TRADES[0], "{broken", TRADES[1]], ["trade"])) as sim,
        connected(sim) as socket,
    ):
        await subscribe(socket, "bnbbtc@trade")
        assert await heard(socket, 3) == [TRADES[0], "{broken", TRADES[1]]
        await sim.finished.wait()
        told = await status(sim)
        assert (told["unreadable"], told["frames"], told["offered"]["trades"]) == (1, 3, 2)


async def stalled(tape: TypedTape) -> int:
    """Return how many frames were pulled when no more are, however often the venue has its turn."""
    seen, turns = -1, 0
    while turns < 200:
        turns = turns + 1 if tape.pulled == seen else 0
        seen = tape.pulled
        await asyncio.sleep(0)
    return seen


async def test_who_does_not_read_holds_the_tape_back_and_loses_nothing() -> None:
    padding = "x" * 20_000
    frames = [f'{{"stream":"bnbbtc@trade","data":{{"t":{n},"pad":"{padding}"}}}}' for n in range(3000)]
    tape = TypedTape(frames, ["trade"])
    async with playing(tape) as sim, connected(sim) as socket:
        await subscribe(socket, "bnbbtc@trade")
        assert 0 < await stalled(tape) < 3000
        assert not sim.finished.is_set()
        assert await heard(socket, 3000) == frames
        await sim.finished.wait()


@pytest.mark.slow
async def test_who_does_not_read_is_cut_off_when_the_venue_stops() -> None:
    tape = TypedTape((TRADES[0] for _ in range(10**9)), ["trade"])
    async with AsyncExitStack() as clients:
        async with playing(tape) as sim:
            socket = await clients.enter_async_context(connected(sim))
            await subscribe(socket, "bnbbtc@trade")
            await stalled(tape)
        with pytest.raises(ConnectionClosed):
            await heard(socket, tape.pulled + 1)


async def test_the_tape_waits_while_nobody_listens() -> None:
    endless = TypedTape((f'{{"stream":"bnbbtc@trade","data":{{"t":{n}}}}}' for n in range(10**9)), ["trade"])
    async with playing(endless) as sim:
        async with connected(sim) as first:
            await subscribe(first, "bnbbtc@trade")
            await heard(first, 100)
        left = await stalled(endless)
        async with connected(sim) as second:
            await subscribe(second, "bnbbtc@trade")
            following = json.loads((await heard(second, 1))[0])
        assert following["data"]["t"] == left - 1


async def test_rest_is_answered_while_the_tape_plays() -> None:
    endless = TypedTape((TRADES[0] for _ in range(10**9)), ["trade"])
    async with playing(endless) as sim, connected(sim) as socket, asyncio.TaskGroup() as tasks:
        await subscribe(socket, "bnbbtc@trade")

        async def listen() -> None:
            async for _ in socket:
                pass

        listening = tasks.create_task(listen())
        async with httpx.AsyncClient(base_url=sim.rest_url) as client:
            answer = await client.get("/api/v3/depth", params={"symbol": "BNBBTC", "limit": 1})
        assert {"lastUpdateId": 160, "bids": [["2", "1"]], "asks": [["3", "1"]]} == answer.json()
        listening.cancel()


async def test_history_knows_what_was_played_and_agrees_with_the_tape() -> None:
    tape = GeneratedTape(Plan(symbols=["BTC/USDT"], seconds=5))
    async with playing(tape) as sim, connected(sim, "/stream?streams=btcusdt@trade") as socket:
        await sim.finished.wait()
        async with httpx.AsyncClient(base_url=sim.rest_url) as client:
            true = (await client.get("/sim/tape", params={"symbol": "BTCUSDT"})).json()["trades"]
            heard_ = [json.loads(text)["data"] for text in await heard(socket, len(true))]
            query = {"symbol": "BTCUSDT", "fromId": true[0]["id"], "limit": 1000}
            answer = await client.get("/api/v3/historicalTrades", params=query)
        assert answer.headers["x-mbx-used-weight-1m"] == "25"
        assert [trade["id"] for trade in true] == [trade["t"] for trade in heard_]
        assert [trade["ts"] for trade in true] == [trade["T"] * 1000 for trade in heard_]
        assert [(trade["id"], trade["price"]) for trade in true] == [
            (trade["id"], trade["price"]) for trade in answer.json()
        ]


@pytest.mark.slow
async def test_a_recording_remembers_the_trades_that_it_has_played(recordings: Path) -> None:
    tape = RecordedTape(named("binance"), [recordings / "hftbacktest/spot_btcusdt_20240808.gz"])
    async with playing(tape) as sim, connected(sim, "/stream?streams=btcusdt@trade") as socket:
        first = json.loads((await heard(socket, 1))[0])["data"]
        await heard(socket, 9_756)
        await sim.finished.wait()
        async with httpx.AsyncClient(base_url=sim.rest_url) as client:
            query = {"symbol": "BTCUSDT", "fromId": first["t"], "limit": 1}
            (told,) = (await client.get("/api/v3/historicalTrades", params=query)).json()
            true = (await client.get("/sim/tape", params={"symbol": "BTCUSDT"})).json()["trades"]
        assert (first["t"], first["T"], first["p"]) == (told["id"], told["time"], told["price"])
        assert len(true) == 9_757


async def test_other_addresses_are_not_found() -> None:
    async with playing(TypedTape(BOTH)) as sim:
        async with httpx.AsyncClient(base_url=sim.rest_url) as client:
            unknown = await client.get("/api/v3/depth", params={"symbol": "ETHBTC"})
            nowhere = await client.get("/api/v3/time")
        assert (unknown.status_code, unknown.json()["code"]) == (400, -1121)
        assert nowhere.status_code == 404
        with pytest.raises(InvalidStatus, match="404"):
            async with connected(sim, "/elsewhere"):
                pass


# https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
COINBASE = [
    '{"type":"last_match","trade_id":9,"product_id":"BTC-USD","price":"400.23"}',
    '{"type":"snapshot","product_id":"BTC-USD","bids":[["10101.10","0.45"]],"asks":[["10102.55","0.57"]]}',
    '{"type":"subscriptions","channels":[]}',
    '{"type":"l2update","product_id":"BTC-USD","changes":[["buy","10101.8","0.162567"]]}',
    '{"type":"ticker","product_id":"BTC-USD","best_bid":"1285.04","best_ask":"1285.27"}',
    '{"type":"match","trade_id":10,"product_id":"BTC-USD","price":"400.23"}',
]

# https://docs.kraken.com/api/docs/websocket-v1/trade
KRAKEN_V1 = [
    '{"connectionID":8628615390848610000,"event":"systemStatus","status":"online","version":"1.0.0"}',
    '{"event":"heartbeat"}',
    '[0,[["5541.2","0.15","1534614057.32","s","l",""],["6060.0","0.02","1534614057.33","b","l",""]],"trade","XBT/USD"]',
    '[0,{"a":["5525.4",1,"1.0"],"b":["5525.1",1,"1.0"]},"ticker","XBT/USD"]',
]

# https://docs.kraken.com/api/docs/websocket-v2/trade
KRAKEN_V2 = [
    '{"channel":"heartbeat"}',
    '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":0.5117,"qty":40.0}]}',
]


def recorded(folder: Path, venue: str, frames: list[str]) -> RecordedTape:
    path = folder / venue
    path.write_text("".join(f"{1_723_161_254_000_000_000 + n} {text}\n" for n, text in enumerate(frames)))
    return RecordedTape(named(venue), [path])


async def test_coinbase_is_spoken(tmp_path: Path) -> None:
    request = {
        "type": "subscribe",
        "product_ids": ["BTC-USD"],
        "channels": ["matches", "ticker", "level2_batch"],
    }
    async with (
        playing(recorded(tmp_path, "coinbase", COINBASE), "coinbase") as sim,
        connected(sim, "/") as socket,
    ):
        await socket.send(json.dumps(request))
        assert json.loads(await socket.recv())["type"] == "subscriptions"
        expected = [text for text in COINBASE if "subscriptions" not in text]
        assert expected == await heard(socket, 5)
        await sim.finished.wait()
        told = await status(sim)
        assert (["BTC/USD"], {"trades": 2, "quotes": 1, "depths": 2}) == (told["symbols"], told["offered"])


@pytest.mark.slow
async def test_kraken_version_1_is_spoken(tmp_path: Path) -> None:
    async with (
        playing(recorded(tmp_path, "kraken", KRAKEN_V1), "kraken") as sim,
        connected(sim, "/") as socket,
    ):
        assert json.loads(await socket.recv())["event"] == "systemStatus"
        for name in ("trade", "ticker"):
            request = {"event": "subscribe", "pair": ["XBT/USD"], "subscription": {"name": name}}
            await socket.send(json.dumps(request))
            assert json.loads(await socket.recv())["status"] == "subscribed"
        assert await heard(socket, 2) == KRAKEN_V1[2:]
        await sim.finished.wait()
        told = await status(sim)
        assert {"trades": 2, "quotes": 1, "depths": 0} == told["offered"]
        assert ("v1", ["BTC/USD"], ["XBT/USD"]) == (told["protocol"], told["symbols"], told["venue_symbols"])
        assert json.loads(await socket.recv()) == {"event": "heartbeat"}


async def test_kraken_version_2_is_spoken(tmp_path: Path) -> None:
    async with (
        playing(recorded(tmp_path, "kraken", KRAKEN_V2), "kraken") as sim,
        connected(sim, "/v2") as socket,
    ):
        assert json.loads(await socket.recv())["channel"] == "status"
        params = {"channel": "trade", "symbol": ["BTC/USD"]}
        await socket.send(json.dumps({"method": "subscribe", "params": params, "req_id": 1}))
        assert json.loads(await socket.recv())["success"]
        assert await heard(socket, 1) == KRAKEN_V2[1:]
        assert (await status(sim))["protocol"] == "v2"


BINANCE_FILES = {
    "spot_btcusdt": (["BTC/USDT"], {"trades": 9_757, "quotes": 28_040, "depths": 3_451}),
    "usdm_btcusdt": (["BTC/USDT:USDT"], {"trades": 21_313, "quotes": 66_089, "depths": 6_551}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BINANCE_FILES)
async def test_a_recording_of_binance_is_played_whole(recordings: Path, name: str) -> None:
    symbols, offered = BINANCE_FILES[name]
    tape = RecordedTape(named("binance"), [recordings / f"hftbacktest/{name}_20240808.gz"])
    async with playing(tape) as sim, connected(sim) as socket:
        await subscribe(socket, *(f"btcusdt@{feed}" for feed in FEEDS))
        await heard(socket, sum(offered.values()))
        await sim.finished.wait()
        told = await status(sim)
        assert (symbols, offered) == (told["symbols"], told["offered"])
        assert tape.snapshot("BTCUSDT") is not None


async def test_a_recording_of_kraken_offers_10_trades_in_8_messages(recordings: Path) -> None:
    tape = RecordedTape(named("kraken"), [recordings / "cryptofeed/2021-09-14/KRAKEN.ws.48.0.a07dc5a.gz"])
    async with playing(tape, "kraken") as sim, connected(sim, "/") as socket:
        request = {
            "event": "subscribe",
            "pair": tape.contents.venue_symbols,
            "subscription": {"name": "trade"},
        }
        await socket.send(json.dumps(request))
        await sim.finished.wait()
        told = await status(sim)
        assert (8, 10) == (told["frames"], told["offered"]["trades"])


@pytest.mark.slow
async def test_a_recording_of_coinbase_offers_97_matches_and_10_last_ones(recordings: Path) -> None:
    tape = RecordedTape(named("coinbase"), [recordings / "cryptofeed/2021-09-14/COINBASE.ws.28.0.974302d.gz"])
    async with playing(tape, "coinbase") as sim, connected(sim, "/") as socket:
        products = tape.contents.venue_symbols
        request = {"type": "subscribe", "product_ids": products, "channels": ["matches", "ticker", "level2"]}
        await socket.send(json.dumps(request))
        kinds = [json.loads(text)["type"] for text in await heard(socket, 1 + 9_943)]
        assert (97, 10) == (kinds.count("match"), kinds.count("last_match"))
        await sim.finished.wait()
        assert (await status(sim))["offered"] == {"trades": 107, "quotes": 107, "depths": 9_729}


REQUESTS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "coinbase": (
        "/",
        [{"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["matches", "level2_batch"]}],
    ),
    "kraken": (
        "/v2",
        [
            {"method": "subscribe", "params": {"channel": channel, "symbol": ["BTC/USD"], "snapshot": wanted}}
            for channel, wanted in (("trade", False), ("book", True))
        ],
    ),
}


@pytest.mark.parametrize("venue", REQUESTS)
async def test_a_made_up_book_comes_first_and_everything_sent_is_in_history(venue: str) -> None:
    tape = GeneratedTape(Plan(venue=venue, symbols=["BTC/USD"], seconds=5))
    (symbol,) = tape.contents.venue_symbols
    path, requests = REQUESTS[venue]
    protocol = named(venue)
    async with playing(tape, venue) as sim, connected(sim, path) as socket:
        for request in requests:
            await socket.send(json.dumps(request))
        await sim.finished.wait()
        frames = [json.loads(text) for text in await heard(socket, (await status(sim))["frames"] + 1)]
        async with httpx.AsyncClient(base_url=sim.rest_url) as client:
            true = (await client.get("/sim/tape", params={"symbol": symbol})).json()["trades"]
    topics = [topic for frame in frames if (topic := protocol.topic(frame))]
    (books,) = {topic for topic in topics if topic.feed in ("level2", "book/v2")}
    first_book = next(frame for frame in frames if protocol.topic(frame) == books)
    assert "snapshot" == first_book["type"]
    sent = [fill.trade_id for frame in frames if protocol.topic(frame) for fill in protocol.fills(frame)]
    assert sent == [trade["id"] for trade in true][: len(sent)]
    assert len(sent) > 100
