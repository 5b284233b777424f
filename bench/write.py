"""Trades into the keyed table: the ingester's writer beside a bare COPY of the same rows."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from io import BytesIO
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from bench import markets
from bench.effort import Effort
from bench.markets import Market
from bench.reports import LOST, Report, report
from bench.rounds import Contestant, Figures, alternate
from bench.tapes import cut
from db.connections import connected
from db.copying import rows, times
from db.instruments import Listed
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.trades import Trade

if TYPE_CHECKING:
    from db.connections import Connection

_SIZES = (200, 10_000)
"""Rows a commit: what arrives in some milliseconds, and what a burst or a backlog makes."""


async def measure(url: str, effort: Effort) -> Report:
    """Measure on the empty database at ``url``."""
    market = await markets.opened(url, effort.ticks)
    contestants: dict[str, Contestant] = {}
    limits: dict[str, str] = {}
    for size in _SIZES:
        limit = f"binary COPY, by {size:,}"
        new, repeated = f"all new, by {size:,}", f"half repeated, by {size:,}"
        contestants[limit] = partial(_copy, market, _encoded(market, size))
        contestants[new] = partial(_write, market, cut(market.tape, size))
        contestants[repeated] = partial(_write, market, _repeating(market.tape, size))
        limits |= {new: limit, repeated: limit}
    return report("write", market.source, await alternate(contestants, effort), limits)


async def _copy(market: Market, encoded: Sequence[bytes]) -> Figures:
    async with _emptied(market) as connection:
        began = time.perf_counter()
        for data in encoded:
            await connection.copy_to_table("trades", source=BytesIO(data), format="binary")
        return await _figures(connection, time.perf_counter() - began, market, len(market.tape))


async def _write(market: Market, batches: Sequence[Sequence[Trade]]) -> Figures:
    async with _emptied(market) as connection:
        writer = TickWriter(connection, await enlist(connection))
        began = time.perf_counter()
        for batch in batches:
            await writer.write(Ticks(trades=batch), market.places)
        return await _figures(connection, time.perf_counter() - began, market, sum(map(len, batches)))


@asynccontextmanager
async def _emptied(market: Market) -> AsyncIterator["Connection"]:
    async with connected(market.url, "bench write") as connection:
        await connection.execute("TRUNCATE trades, batches")
        yield connection


async def _figures(connection: "Connection", seconds: float, market: Market, offered: int) -> Figures:
    stored = await connection.fetchval("SELECT count(*) FROM trades")
    lost = len(market.tape) - stored
    return {"offered/s": offered / seconds, "stored/s": stored / seconds, LOST: lost}


def _repeating(tape: Sequence[Trade], size: int) -> list[list[Trade]]:
    """Return batches of which one half is new, and the other what the batch before brought."""
    halves = cut(tape, size // 2)
    return [[*before, *new] for before, new in zip([[], *halves], halves, strict=False)]


def _encoded(market: Market, size: int) -> list[bytes]:
    return [_copy_of(batch, market.places) for batch in cut(market.tape, size)]


def _copy_of(batch: Sequence[Trade], places: Mapping[int, Listed]) -> bytes:
    """Return the COPY of a batch in the order of the key, as the writer sends it."""
    trades = sorted(batch, key=attrgetter("instrument_id", "ts", "trade_id"))
    size = len(trades)
    return rows(
        [
            ("exchange_id", ">i2", np.array([places[trade.instrument_id].exchange_id for trade in trades])),
            ("instrument_id", ">i4", np.array([trade.instrument_id for trade in trades])),
            ("ts", ">i8", times([trade.ts for trade in trades], size)),
            ("trade_id", ">i8", np.array([trade.trade_id for trade in trades])),
            ("price", ">f8", np.array([trade.price for trade in trades])),
            ("size", ">f8", np.array([trade.size for trade in trades])),
            ("side", ">i2", np.array([trade.side for trade in trades])),
            ("received_at", ">i8", times([trade.received_at for trade in trades], size)),
        ]
    )
