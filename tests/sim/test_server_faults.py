import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close

from market.instruments import Market
from sim.faults.orders import from_script
from sim.messages import Message
from sim.pacing import MAX, Pace
from sim.protocols import named
from sim.protocols.protocol import Topic
from sim.recordings import Frame
from sim.server import Manners, SimulatedVenue
from sim.tapes import Contents


class LiveTape:
    """Trades without end, each when ``go`` lets it happen; nobody is waited for."""

    def __init__(self, *, waits: bool = True, padding: str = "") -> None:
        self.waits = waits
        self.contents = Contents(Market.SPOT, frozenset({Topic("trade", "BNBBTC")}))
        self._padding = padding

    def frames(self) -> Iterator[Frame]:
        for number in range(1, 10**9):
            data = {"e": "trade", "T": number, "t": number, "p": "1.0", "q": "2.0", "m": True}
            text = {"stream": "bnbbtc@trade", "data": {**data, "pad": self._padding}}
            yield Frame(number * 1000, json.dumps(text).encode())

    def opening(self, topic: Topic) -> Sequence[Message]:  # noqa: ARG002
        return ()

    def snapshot(self, symbol: str) -> bytes | None:  # noqa: ARG002
        return None


@asynccontextmanager
async def playing(
    *scripts: str, tape: LiveTape | None = None, **manners: Any
) -> AsyncIterator[SimulatedVenue]:
    how = Manners(settle_seconds=0.05, faults=tuple(map(from_script, scripts)), **manners)
    sim = SimulatedVenue(named("binance"), tape or LiveTape(), Pace(MAX), how)
    async with asyncio.timeout(60), sim.serving():
        yield sim


@asynccontextmanager
async def listening(sim: SimulatedVenue) -> AsyncIterator[ClientConnection]:
    address = f"{sim.stream_url}/stream?streams=bnbbtc@trade"
    async with connect(address, compression=None, ping_interval=None, close_timeout=0.1) as socket:
        yield socket


async def until_closed(socket: ClientConnection) -> tuple[list[int], Close | None]:
    """Return the ids heard until the socket closes, and how the venue closed it: None is by no frame."""
    ids = []
    try:
        while True:
            ids += await heard(socket, 1)
    except ConnectionClosed as closed:
        return ids, closed.rcvd


@asynccontextmanager
async def rest(sim: SimulatedVenue) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sim.rest_url) as client:
        yield client


async def heard(socket: ClientConnection, count: int) -> list[Any]:
    return [json.loads(await socket.recv())["data"]["t"] for _ in range(count)]


async def test_a_gap_is_never_sent_and_history_has_it() -> None:
    async with playing("gap@0.01s:count=5") as sim, listening(sim) as socket, rest(sim) as client:
        assert [*range(1, 11), *range(16, 21)] == await heard(socket, 15)
        query: dict[str, str | int] = {"symbol": "BNBBTC", "fromId": 11, "limit": 5}
        told = (await client.get("/api/v3/historicalTrades", params=query)).json()
        assert list(range(11, 16)) == [trade["id"] for trade in told]


async def test_what_history_forgets_is_marked_on_the_tape() -> None:
    script = "short_history@0.01s+0.01s:share=1"
    async with playing(script) as sim, listening(sim) as socket, rest(sim) as client:
        await heard(socket, 40)
        tape = (await client.get("/sim/tape", params={"symbol": "BNBBTC", "limit": 40})).json()["trades"]
        query: dict[str, str | int] = {"symbol": "BNBBTC", "fromId": 1, "limit": 30}
        told = (await client.get("/api/v3/historicalTrades", params=query)).json()
    forgotten = [trade["id"] for trade in tape if trade["forgotten"]]
    assert list(range(11, 21)) == forgotten
    assert [*range(1, 11), *range(21, 41)] == [trade["id"] for trade in told]


async def test_a_reset_comes_in_the_middle_of_a_frame() -> None:
    async with playing("reset@0.01s") as sim, listening(sim) as socket:
        ids, close = await until_closed(socket)
    assert (list(range(1, 11)), None) == (ids[:10], close)


async def test_a_disconnect_closes_in_order_and_refuses_for_as_long_as_it_lasts() -> None:
    async with playing("disconnect@0.01s+100m:code=1012") as sim:
        async with listening(sim) as socket:
            ids, close = await until_closed(socket)
        assert close is not None
        assert 1012 == close.code
        with pytest.raises(InvalidStatus, match="503"):
            async with listening(sim):
                pass
        async with rest(sim) as client:
            await client.delete("/sim/faults")
        async with listening(sim) as socket:
            assert ids[-1] < (await heard(socket, 1))[0]


@pytest.mark.slow
async def test_a_half_open_connection_answers_no_ping_and_is_not_closed() -> None:
    async with playing("half_open@0.01s") as sim, listening(sim) as socket, listening(sim) as other:
        assert list(range(1, 11)) == (await heard(socket, 10))
        while (await ask(sim, "/sim/faults"))[0]["state"] != "over":
            pass
        pong = await socket.ping()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await pong
        assert socket.close_code is None
        async with listening(sim) as third:
            await heard(third, 1)
        assert other.close_code is None


async def ask(sim: SimulatedVenue, path: str) -> Any:  # noqa: ANN401 - parsed JSON
    async with rest(sim) as client:
        return (await client.get(path)).json()


async def test_faults_are_ordered_listed_and_ended_by_http() -> None:
    async with playing() as sim, rest(sim) as client:
        ordered = await client.post("/sim/faults", json={"kind": "ratelimit", "seconds": 100})
        assert (201, 1, "active") == (
            ordered.status_code,
            ordered.json()["number"],
            ordered.json()["state"],
        )
        refused = await client.post("/sim/faults", json={"kind": "flood"})
        assert (400, True) == (refused.status_code, "no fault 'flood'" in refused.json()["error"])
        assert (await client.get("/api/v3/trades?symbol=BNBBTC")).status_code == 429
        assert ["over"] == [told["state"] for told in (await client.delete("/sim/faults/1")).json()]
        assert (await client.get("/api/v3/trades?symbol=BNBBTC")).status_code == 200


async def test_a_tape_is_ended_by_http_and_its_venue_answers_on() -> None:
    async with playing() as sim, rest(sim) as client, listening(sim) as socket:
        ids = await heard(socket, 1)
        assert (await client.get("/sim/end")).status_code == 405
        status = (await client.post("/sim/end")).json()
        assert (True, True) == (status["finished"], status["cut"])
        assert status == (await client.post("/sim/end")).json()
        ids += await heard(socket, status["offered"]["trades"] - 1)
        assert list(range(1, status["offered"]["trades"] + 1)) == ids
        assert (await client.get("/api/v3/trades?symbol=BNBBTC")).status_code == 200


@pytest.mark.slow
async def test_a_slow_reader_of_a_live_market_is_cut_off_and_the_market_goes_on() -> None:
    tape = LiveTape(waits=False, padding="x" * 10_000)
    async with playing(tape=tape, most_waiting=1_000_000) as sim, listening(sim) as socket:
        while not (await ask(sim, "/sim/status"))["cut_off"]:
            pass
        ids, close = await until_closed(socket)
        assert (list(range(1, len(ids) + 1)), None) == (ids, close)
        async with listening(sim) as again:
            assert (await heard(again, 1))[0] > len(ids)
