"""A small market in a real database, written as ingest writes it, folded as workers fold it."""

import json
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import claims, dirty
from db.connections import connected
from db.instruments import Listed
from db.logins import BACKFILL, INGEST, WORKER, address_of
from db.stretches import covering
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.depths import Depth
from market.times import SECOND
from market.trades import Side, Trade
from market.watermarks import Watermark
from workers.applying import Applied
from workers.backfill import BackfillWorker
from workers.claiming import Claimed, Claimer
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.portions import Portion
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

BEGAN = 1_723_161_255 * SECOND
"""When the tapes of these tests begin."""

EVERY_BAR = """WITH every_bar AS (
    SELECT * FROM bars
    UNION ALL
    SELECT instrument_id, 3600, start, open, high, low, close,
           volume, quote_volume, buy_volume, sell_volume, trades, source
    FROM bars_1h
) SELECT * FROM every_bar"""
FOLDER = Folder(KINDS)

BASES = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "UNI")


def new_claimer(
    clock: Callable[[], int] = lambda: BEGAN, folder: Folder = FOLDER, portion: Portion | None = None
) -> Claimer:
    return Claimer(folder, clock, "test", portion=portion)


def new_backfill(url: str, folder: Folder = FOLDER) -> BackfillWorker:
    return BackfillWorker(address_of(url, BACKFILL), WorkerSettings(), folder, lambda: BEGAN, "test")


@dataclass(frozen=True)
class Market:
    """Listed instruments and a connection to look with."""

    url: str
    connection: "Connection"
    listed: Sequence[Listed]

    @asynccontextmanager
    async def writing(self) -> "AsyncIterator[Writer]":
        async with connected(address_of(self.url, INGEST), "test writer") as connection:
            yield Writer(self, TickWriter(connection, await enlist(connection)))

    @asynccontextmanager
    async def working(self) -> "AsyncIterator[Connection]":
        async with connected(address_of(self.url, WORKER), "test worker", claims.SESSION) as connection:
            yield connection

    @asynccontextmanager
    async def repairing(self) -> "AsyncIterator[Connection]":
        async with connected(address_of(self.url, BACKFILL), "test backfill worker") as connection:
            yield connection

    @property
    def ids(self) -> list[int]:
        return [each.instrument_id for each in self.listed]


@dataclass(frozen=True)
class Writer:
    """One ingest writer."""

    market: Market
    ticks: TickWriter

    async def store(
        self,
        trades: Sequence[Trade] = (),
        watermarks: Sequence[Watermark] = (),
        depths: Sequence[Depth] = (),
    ) -> None:
        ticks = Ticks(trades=trades, watermarks=watermarks, depths=depths)
        await self.ticks.write(ticks, {each.instrument_id: each for each in self.market.listed})


def tape(instrument_id: int, trades: int, seed: int = 7, spacing: int = SECOND // 20) -> list[Trade]:
    """Trades of a restless price, several at one instant now and then."""
    chance = random.Random(seed * 1000 + instrument_id)
    ts, price, made = BEGAN, 60_000.0, []
    for number in range(trades):
        ts += chance.choice((0, 1000, spacing, 2 * spacing))
        price = round(price * (1 + chance.gauss(0, 0.0004)), 2)
        side = chance.choice((Side.BUY, Side.SELL))
        made.append(
            Trade(instrument_id, ts, 1000 + number, price, round(chance.uniform(0.001, 2), 5), side, ts)
        )
    return made


async def claim_all(claimer: Claimer, connection: "Connection", workers: int = 1) -> list[Claimed]:
    """Claim until nothing is due."""
    claimed = []
    while each := await claimer.claim(connection, workers):
        claimed.append(each)
    return claimed


def folded_at_once(ticks: Sequence[Trade | Watermark]) -> tuple[list[Any], list[Any]]:
    """The bars and signals of whole tapes, folded in one go without a database."""
    folder = Folder(KINDS)
    bars, signals = [], []
    for instrument_id in sorted({tick.instrument_id for tick in ticks}):
        own = sorted((t for t in ticks if t.instrument_id == instrument_id), key=lambda t: t.tape_key)
        folded = folder.fold(folder.start(), own)
        bars += [(instrument_id, each.bar.interval, each.bar.start, each.bar.volume) for each in folded.bars]
        signals += [(instrument_id, s.signal.kind, s.signal.ts, s.signal.price) for s in folded.signals]
    return sorted(bars), sorted(signals)


async def stored(market: Market) -> tuple[list[Any], list[Any]]:
    bars = await market.connection.fetch(EVERY_BAR)
    signals = await market.connection.fetch("SELECT instrument_id, kind, ts, price FROM signals")
    return (
        sorted((b["instrument_id"], b["interval_seconds"] * SECOND, b["start"], b["volume"]) for b in bars),
        sorted((s["instrument_id"], s["kind"], s["ts"], s["price"]) for s in signals),
    )


async def fill(market: Market, trades: Sequence[Trade]) -> None:
    """Store trades as history does: without a batch, with what must be computed again."""
    exchange_id = await market.connection.fetchval("SELECT exchange_id FROM exchanges")
    rows = [
        (exchange_id, t.instrument_id, t.ts, t.trade_id, t.price, t.size, int(t.side), t.received_at)
        for t in trades
    ]
    async with market.connection.transaction():
        await market.connection.executemany(
            "INSERT INTO trades VALUES ($1, $7, $2, $3, $4, $5, $6, $8)", rows
        )
        stretches = covering(trades[0].instrument_id, [trade.ts for trade in trades])
        await dirty.mark(market.connection, stretches, "history")


async def repair_all(market: Market, connection: "Connection", worker: BackfillWorker | None = None) -> int:
    """Compute again whatever is dirty, and return how many rows asked for it."""
    worker = worker or new_backfill(market.url)
    rows = 0
    while done := await worker.repair(connection):
        rows += done
    return rows


async def apply_all(claimer: Claimer, connection: "Connection") -> list[Applied]:
    """Apply whatever is staged."""
    applied = []
    while each := await claimer.apply(connection, 1):
        applied.append(each)
    return applied


async def settle(market: Market, claimer: Claimer, connection: "Connection", folder: Folder = FOLDER) -> None:
    """Claim, repair, and apply until nothing is left to do."""
    worker = new_backfill(market.url, folder)
    while True:
        claimed = await claim_all(claimer, connection)
        repaired = await repair_all(market, connection, worker)
        if not claimed and not repaired and not await apply_all(claimer, connection):
            return


async def content(market: Market, instrument_id: int) -> dict[str, Any]:
    """What is stored of an instrument, and what its log tells once corrected."""
    fetch = market.connection.fetch
    bars = await fetch(
        EVERY_BAR + " WHERE instrument_id = $1 ORDER BY interval_seconds, start", instrument_id
    )
    signals = await fetch(
        "SELECT * FROM signals WHERE instrument_id = $1 ORDER BY ts, kind, version", instrument_id
    )
    indicators = await fetch(
        "SELECT * FROM indicators WHERE instrument_id = $1 ORDER BY ts, kind, version", instrument_id
    )
    return {
        "indicators": [_content(row.items()) for row in indicators],
        "bars": [_content(row.items()) for row in bars],
        "signals": [_content(row.items()) for row in signals],
        "log": await corrected_log(market, instrument_id),
    }


async def corrected_log(market: Market, instrument_id: int) -> list[Any]:
    """What stands of the log after its corrections, as whoever read all of it knows it; it is dense."""
    log = await market.connection.fetch(
        'SELECT * FROM publications WHERE instrument_id = $1 ORDER BY family, "offset"', instrument_id
    )
    standing: dict[tuple[str, int], Any] = {}
    offsets = {"bars": 0, "signals": 0}
    for row in log:
        offsets[row["family"]] += 1
        assert offsets[row["family"]] == row["offset"]
        if row["revises"] is not None:
            revised = standing.pop((row["family"], row["revises"]))
            assert (revised["about"], revised["ts"]) == (row["about"], row["ts"])
        if row["data"] != "null":
            told = _content(json.loads(row["data"]).items())
            entry = {"about": row["about"], "ts": row["ts"], "told": told}
            standing[row["family"], row["offset"]] = entry
    return sorted(standing.values(), key=lambda each: (each["about"], each["ts"]))


_OF_DELIVERY = {
    "instrument_id",
    "symbol",
    "source",
    "coverage",
    "received_at",
    "decided_ts",
    "stored_at",
    "claimed_at",
    "committed_at",
    "code_version",
    "latency_ms",
    "signal_id",
    "id",
}


def _content(row: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in row if name not in _OF_DELIVERY}
