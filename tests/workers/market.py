"""A small market in a real database, written as ingest writes it, folded as workers fold it."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db.connections import connected
from db.instruments import Listed
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.depths import Depth
from market.times import SECOND
from market.trades import Side, Trade
from market.watermarks import Watermark
from workers.claiming import Claimed, Claimer
from workers.folding import Folder
from workers.kinds.catalogue import KINDS

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

BASES = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "UNI")


def new_claimer(clock: Callable[[], int] = lambda: BEGAN) -> Claimer:
    return Claimer(Folder(KINDS), clock, "test")


@dataclass(frozen=True)
class Market:
    """Listed instruments and a connection to look with."""

    url: str
    connection: "Connection"
    listed: Sequence[Listed]

    @asynccontextmanager
    async def writing(self) -> "AsyncIterator[Writer]":
        async with connected(self.url, "test writer") as connection:
            yield Writer(self, TickWriter(connection, await enlist(connection)))

    @asynccontextmanager
    async def working(self) -> "AsyncIterator[Connection]":
        async with connected(self.url, "test worker") as connection:
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
