"""Trades into the keyed table: the ingester's writer beside a bare COPY, and beside what others do."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from io import BytesIO
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from bench import markets, stores
from bench.effort import Effort
from bench.inserting import Insert, as_rows, with_asyncpg, with_sqlalchemy
from bench.markets import Market
from bench.peers import environments
from bench.reports import LOST, Report, report
from bench.rounds import Contestant, Figures, alternate
from bench.tapes import cut
from db.connections import connected
from db.copying import rows, times
from db.instruments import Listed
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.times import SECOND
from market.trades import Trade

if TYPE_CHECKING:
    from db.connections import Connection

_SIZES = (200, 10_000)
"""Rows a commit: what arrives in some milliseconds, and what a burst or a backlog makes."""

_OURS = ("all new", "half repeated", "one repeated")
"""What a commit is of: new trades, as many of the commit before beside them, or one of that."""


async def measure(url: str, effort: Effort) -> Report:
    """Measure on the empty database at ``url``."""
    market = await markets.opened(url, effort.ticks)
    contestants: dict[str, Contestant] = {}
    limits: dict[str, str] = {}
    peers: dict[str, str] = {}
    for size in _SIZES:
        by = f", by {size:,}"
        new, repeated, one = (
            cut(market.tape, size),
            _repeating(market.tape, size),
            _one_more(market.tape, size),
        )
        contestants |= {
            f"binary COPY{by}": partial(_copy, market, _encoded(market, size)),
            f"all new{by}": partial(_write, market, new),
            f"half repeated{by}": partial(_write, market, repeated),
            f"one repeated{by}": partial(_write, market, one),
        }
        limits |= dict.fromkeys([f"{what}{by}" for what in _OURS], f"binary COPY{by}")
        others: dict[str, Contestant] = {
            f"cryptofeed, all new{by}": partial(_cryptofeed, market, new),
            f"cryptofeed, one repeated{by}": partial(_cryptofeed, market, one),
            f"SQLAlchemy, all new{by}": partial(_insert, market, new, with_sqlalchemy),
            f"asyncpg executemany, all new{by}": partial(_insert, market, new, with_asyncpg),
        }
        contestants |= others if effort.peers else {}
        peers |= {name: name.partition(", ")[2] for name in others if effort.peers}
    return report("write", market.source, await alternate(contestants, effort), limits, peers)


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


async def _insert(
    market: Market,
    batches: Sequence[Sequence[Trade]],
    opened: Callable[[str], AbstractAsyncContextManager[Insert]],
) -> Figures:
    ready = [as_rows(batch, market.places) for batch in batches]
    async with _emptied(market) as connection, opened(market.url) as insert:
        began = time.perf_counter()
        for rows_ in ready:
            await insert(rows_)
        return await _figures(connection, time.perf_counter() - began, market, sum(map(len, batches)))


async def _cryptofeed(market: Market, batches: Sequence[Sequence[Trade]]) -> Figures:
    """Let cryptofeed write to a table of its own shape, with a unique key."""
    plan = {
        "distinct": len(market.tape),
        "batches": [[_as_cryptofeed_has_it(trade) for trade in batch] for batch in batches],
    }
    return await environments.told("cryptofeed", "cryptofeed_write.py", plan | stores.parts(market.url))


def _as_cryptofeed_has_it(trade: Trade) -> tuple[object, ...]:
    symbol = f"{trade.instrument_id}-USDT"
    side, at, received = ("buy" if trade.side > 0 else "sell"), trade.ts / SECOND, trade.received_at / SECOND
    return ("BINANCE", symbol, side, str(trade.size), str(trade.price), at, str(trade.trade_id), received)


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


def _one_more(tape: Sequence[Trade], size: int) -> list[list[Trade]]:
    """Return batches of which the first trade is the last of the batch before."""
    batches = cut(tape, size)
    return [[*before[-1:], *new] for before, new in zip([[], *batches], batches, strict=False)]


def _encoded(market: Market, size: int) -> list[bytes]:
    return [_copy_of(batch, market.places) for batch in cut(market.tape, size)]


def _copy_of(batch: Sequence[Trade], places: Mapping[int, Listed]) -> bytes:
    """Return the COPY of a batch in the order of the key, as the writer sends it."""
    trades = sorted(batch, key=attrgetter("instrument_id", "ts", "trade_id"))
    size = len(trades)
    return rows(
        [
            ("exchange_id", ">i2", np.array([places[trade.instrument_id].exchange_id for trade in trades])),
            ("side", ">i2", np.array([trade.side for trade in trades])),
            ("instrument_id", ">i4", np.array([trade.instrument_id for trade in trades])),
            ("ts", ">i8", times([trade.ts for trade in trades], size)),
            ("trade_id", ">i8", np.array([trade.trade_id for trade in trades])),
            ("price", ">f8", np.array([trade.price for trade in trades])),
            ("size", ">f8", np.array([trade.size for trade in trades])),
            ("received_at", ">i8", times([trade.received_at for trade in trades], size)),
        ]
    )
