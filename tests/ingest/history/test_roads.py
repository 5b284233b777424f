"""One trade, one key, by every road: the same trades by socket, history, and file make no new row."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from db import chunks, feeds, jobs
from db.chunks import Chunk, FetchedPage, Lease
from db.connections import connected
from db.feeds import WantedFeed
from db.instruments import Listed, register
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from ingest.files.formats import layout_of
from ingest.history.roads import Road, road, stretch
from ingest.venues.histories import TOLERANCES
from ingest.venues.registry import venue
from market.times import SECOND, to_iso
from market.trades import Trade
from runtime.clock import now
from sim.recordings import read

if TYPE_CHECKING:
    from db.connections import Connection

LEASE = Lease("test", 60)
BEGAN_NS = 1_736_000_000_000_000_000
TRADES = 300
CONTENT = "SELECT instrument_id, ts, trade_id, price, size, side FROM trades ORDER BY trade_id, ts"


class Fill:
    """A trade as it truly happened."""

    def __init__(self, number: int, chance: random.Random) -> None:
        self.number = number
        self.ns = BEGAN_NS + number * 150_000_000 + chance.randrange(100_000_000)
        self.price = f"{chance.randint(9_000_000, 9_100_000) / 100:.2f}"
        self.size = f"{chance.randint(1, 99_999_999) / 10**8:.8f}"
        self.bought = chance.random() < 0.5

    @property
    def iso(self) -> str:
        """The time in microseconds, truncated."""
        return to_iso(self.ns // 1000)


def fills() -> list[Fill]:
    chance = random.Random(7)
    return [Fill(number, chance) for number in range(1, TRADES + 1)]


class Roads:
    """An instrument of one venue, and the ways in which its trades come into the database."""

    def __init__(self, connection: "Connection", url: str, listed: Listed, chunk: Chunk) -> None:
        self.connection = connection
        self._url = url
        self._listed = listed
        self.chunk = chunk
        found = road(chunk, "")
        assert found is not None
        self.road: Road = found

    async def by_socket(self, frames: Sequence[bytes]) -> list[tuple[object, ...]]:
        instrument = self._listed.instrument
        decoder = venue(instrument.exchange).decoder({instrument.venue_symbol: self._listed.instrument_id})
        trades = [trade for frame in frames for trade in decoder.decode(frame, now()).trades]
        async with connected(self._url, "test writer") as connection:
            writer = TickWriter(connection, await enlist(connection), TOLERANCES)
            await writer.write(Ticks(trades=trades), {self._listed.instrument_id: self._listed})
        return await self.stored()

    async def by_history(self, body: bytes) -> int:
        page = self.road.history.page(stretch(self.chunk, None), "", body, now())
        assert (TRADES, []) == (len(page.trades), list(page.rejections))
        return await self.store(page.trades)

    async def by_file(self, lines: Sequence[str]) -> int:
        rows = [line.strip().split(",") for line in lines]
        layout = layout_of("binance-vision")(None, rows[0], self._listed.instrument)
        return await self.store([layout.row(row, self._listed.instrument_id, now()).trade for row in rows])

    async def stored(self) -> list[tuple[object, ...]]:
        return [tuple(row) for row in await self.connection.fetch(CONTENT)]

    async def waits(self) -> None:
        """Return when somebody waits for a lock of ours."""
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = $1"
        async with connected(self._url, "test watch") as connection:
            ours = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
            while not await connection.fetchval(waiting, ours):  # noqa: ASYNC110 - other sessions'
                await asyncio.sleep(0.01)

    async def store(self, trades: Sequence[Trade]) -> int:
        """Return how many were new."""
        page = FetchedPage(trades=trades, letters=(), cursor="", tolerance=self.road.history.tolerance)
        return await chunks.store(self.connection, self.chunk, LEASE, page)


@pytest.fixture(params=["binance", "coinbase", "kraken"])
async def roads(request: pytest.FixtureRequest, postgres_url: str) -> AsyncIterator[Roads]:
    exchange, symbol = request.param, "BTC/USD"
    async with connected(postgres_url, "test") as connection:
        instrument = venue(exchange).instrument(symbol)
        listed = (await register(connection, [instrument]))[instrument.key]
        await feeds.offer(connection, [WantedFeed(exchange=exchange, symbol=symbol)])
        began = BEGAN_NS // 1000
        await ensure_days(connection, {day_of(fill.ns // 1000) for fill in fills()})
        await jobs.enqueue_recent(connection, listed.instrument_id, began, began + 3600 * SECOND)
        chunk = await chunks.claim(connection, LEASE)
        assert chunk is not None
        yield Roads(connection, postgres_url, listed, chunk)


def frames_of(exchange: str) -> list[bytes]:
    shape = {"binance": _binance_frame, "coinbase": _coinbase_frame, "kraken": _kraken_frame}[exchange]
    return [json.dumps(shape(fill)).encode() for fill in fills()]


def body_of(exchange: str) -> bytes:
    match exchange:
        case "binance":
            return json.dumps([_binance_row(fill) for fill in fills()]).encode()
        case "coinbase":
            return json.dumps([_coinbase_row(fill) for fill in reversed(fills())]).encode()
    rows = ",".join(map(_kraken_row, fills()))
    return f'{{"error":[],"result":{{"XXBTZUSD":[{rows}],"last":"{fills()[-1].ns}"}}}}'.encode()


def _binance_frame(fill: Fill) -> object:
    ms = fill.ns // 10**6
    data = {"e": "trade", "E": ms, "s": "BTCUSD", "t": fill.number, "p": fill.price, "q": fill.size, "T": ms}
    return {"stream": "btcusd@trade", "data": {**data, "m": not fill.bought, "M": True}}


def _binance_row(fill: Fill) -> object:
    row = {"id": fill.number, "price": fill.price, "qty": fill.size, "time": fill.ns // 10**6}
    return {**row, "isBuyerMaker": not fill.bought, "isBestMatch": True}


def _binance_line(fill: Fill, unit: int) -> str:
    maker = "False" if fill.bought else "True"
    return f"{fill.number},{fill.price},{fill.size},1.0,{fill.ns // unit},{maker},True\n"


def _coinbase_frame(fill: Fill) -> object:
    return {"type": "match", **_coinbase_fields(fill), "product_id": "BTC-USD", "sequence": fill.number}


def _coinbase_row(fill: Fill) -> object:
    return _coinbase_fields(fill)


def _coinbase_fields(fill: Fill) -> dict[str, object]:
    maker = "sell" if fill.bought else "buy"
    return {
        "trade_id": fill.number,
        "side": maker,
        "size": fill.size,
        "price": fill.price,
        "time": fill.iso,
    }


def _kraken_frame(fill: Fill) -> object:
    trade = {
        "symbol": "BTC/USD",
        "side": "buy" if fill.bought else "sell",
        "price": float(fill.price),
        "qty": float(fill.size),
        "ord_type": "limit",
        "trade_id": fill.number,
        "timestamp": fill.iso,
    }
    return {"channel": "trade", "type": "update", "data": [trade]}


def _kraken_row(fill: Fill) -> str:
    """A row whose time went through a double, as the venue's documentation shows."""
    time = repr(float(Decimal(fill.ns) / 10**9))
    return f'["{fill.price}","{fill.size}",{time},"{"b" if fill.bought else "s"}","l","",{fill.number}]'


def name(roads: Roads) -> str:
    return roads.road.reach.requests.name.partition(":")[0]


async def test_history_after_the_socket_makes_no_new_row(roads: Roads) -> None:
    before = await roads.by_socket(frames_of(name(roads)))
    assert TRADES == len(before)
    assert 0 == await roads.by_history(body_of(name(roads)))
    assert before == await roads.stored()


async def test_the_socket_after_history_makes_no_new_row(roads: Roads) -> None:
    assert TRADES == await roads.by_history(body_of(name(roads)))
    before = await roads.stored()
    assert before == await roads.by_socket(frames_of(name(roads)))


@pytest.mark.parametrize("roads", ["kraken"], indirect=True)
async def test_roads_whose_times_differ_wait_for_each_other(roads: Roads) -> None:
    """While a page is stored and not committed the socket's writer waits, and then finds it."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        async with roads.connection.transaction():
            assert TRADES == await roads.by_history(body_of("kraken"))
            socket = group.create_task(roads.by_socket(frames_of("kraken")))
            await roads.waits()
        assert TRADES == len(await socket)


@pytest.mark.parametrize("roads", ["binance"], indirect=True)
async def test_the_socket_waits_for_no_page_of_other_trades(roads: Roads) -> None:
    frames, rows = frames_of("binance"), json.loads(body_of("binance"))
    async with asyncio.timeout(30), roads.connection.transaction():
        page = roads.road.history.page(stretch(roads.chunk, None), "", json.dumps(rows[:100]).encode(), now())
        assert 100 == await roads.store(page.trades)
        await roads.by_socket(frames[100:])


async def test_history_says_of_each_trade_what_the_socket_says(roads: Roads) -> None:
    by_socket = await roads.by_socket(frames_of(name(roads)))
    await roads.connection.execute("DELETE FROM trades")
    assert TRADES == await roads.by_history(body_of(name(roads)))
    by_history = await roads.stored()
    for one, other in zip(by_socket, by_history, strict=True):
        assert (one[0], *one[2:]) == (other[0], *other[2:])
        assert abs(int(str(one[1])) - int(str(other[1]))) <= roads.road.history.tolerance
    assert (by_socket == by_history) == (not roads.road.history.tolerance)


@pytest.mark.parametrize("roads", ["binance"], indirect=True)
@pytest.mark.parametrize("unit", [10**6, 10**3], ids=["milliseconds", "microseconds, since 2025"])
async def test_files_after_the_socket_make_no_new_row(roads: Roads, unit: int) -> None:
    before = await roads.by_socket(frames_of("binance"))
    assert 0 == await roads.by_file([_binance_line(fill, unit) for fill in fills()])
    assert before == await roads.stored()


async def test_a_recording_after_history_makes_no_new_row(roads: Roads, tmp_path: Path) -> None:
    """The only files that Coinbase and Kraken have for us: what was heard on a socket, written down."""
    file = tmp_path / "recording"
    lines = [
        f"{BEGAN_NS // 10**9}.{place}: ".encode() + each for place, each in enumerate(frames_of(name(roads)))
    ]
    file.write_bytes(b"\n".join(lines))
    before = await roads.by_socket(frames_of(name(roads)))
    assert 0 == await roads.by_history(body_of(name(roads)))
    played = [record.text for record in read(file)]
    assert TRADES == len(played)
    assert before == await roads.by_socket(played)
