"""The backfill pool's worker: computes dirty intervals again, gently, and never in live's way."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec
import structlog

from db import dirty
from db.connections import connected
from db.dirty import Stretch
from db.errors import translated
from db.tapes import Part, read_parts
from market.bars import Bar
from market.errors import StoreError
from market.ticks import Kind, TapeKey
from market.times import MINUTE, SECOND
from market.trades import Trade
from runtime.lifecycle import wait_at_most
from workers.running import RunningBar
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_SESSION = {
    "synchronous_commit": "off",  # safe: what a crash takes back is still dirty, and done again
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}
_READ_AT_ONCE = 5 * MINUTE
_LOWEST_ID = -(2**63)


class Totals(msgspec.Struct):
    """What this worker has committed since it started."""

    intervals: int = 0
    bars: int = 0


class BackfillWorker:
    """Rebuilds the bars of dirty intervals until told to stop."""

    def __init__(self, url: str, settings: WorkerSettings) -> None:
        self._url = url
        self._settings = settings
        self.totals = Totals()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, through every loss of PostgreSQL."""
        while not stopping.is_set():
            try:
                async with connected(self._url, "heliograph worker-backfill", _SESSION) as connection:
                    await self._work(connection, stopping)
            except StoreError as error:
                logger.warning("worker.interrupted", error=str(error), retryable=error.retryable)
                await wait_at_most(stopping, self._settings.repair_after_seconds)

    async def _work(self, connection: "Connection", stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            if not await self.repair(connection):
                await wait_at_most(stopping, self._settings.repair_after_seconds)

    async def repair(self, connection: "Connection") -> int:
        """Rebuild the dirty bars of the newest hour that has any; return how many rows asked for them.

        One transaction reads at most an hour of one tape, once for each interval of bars.
        """
        with translated("repairing"):
            async with connection.transaction():
                hour = await dirty.lock_hour(connection, await dirty.settled(connection))
                if hour is None:
                    return 0
                bars = sum([await _rebuild(connection, stretch) for stretch in hour.stretches()])
                await dirty.finish(connection, hour)
        self.totals.intervals += len(hour.rows)
        self.totals.bars += bars
        return len(hour.rows)


async def _rebuild(connection: "Connection", stretch: Stretch) -> int:
    bars = [bar async for bar in rebuilt(connection, stretch)]
    await dirty.replace_bars(connection, stretch, bars)
    return len(bars)


async def rebuilt(connection: "Connection", stretch: Stretch) -> AsyncIterator[Bar]:
    """Yield the bars of a stretch, folded from its trades, in constant memory."""
    running = RunningBar(stretch.interval_seconds * SECOND, None)
    async for trade in _trades(connection, stretch):
        if running.ended(trade.ts):
            yield running.bar()
            running.clear()
        running.add(trade.ts, trade.price, trade.size, trade.price * trade.size, trade.side)
    if running.trades:
        yield running.bar()


async def _trades(connection: "Connection", stretch: Stretch) -> AsyncIterator[Trade]:
    for start in range(stretch.from_ts, stretch.to_ts, _READ_AT_ONCE):
        end = min(start + _READ_AT_ONCE, stretch.to_ts)
        part = Part(
            stretch.exchange_id,
            stretch.instrument_id,
            TapeKey(start, Kind.TRADE, _LOWEST_ID),
            TapeKey(end, Kind.DEPTH, _LOWEST_ID),
            frozenset({Kind.TRADE}),
        )
        for trade in (await read_parts(connection, [part]))[stretch.instrument_id]:
            if isinstance(trade, Trade):
                yield trade
