"""Run the whole path on a simulated venue, wait until all of it is processed, and report."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from db.connections import connected
from db.processes import processes
from db.runs import Progress, progress
from heliograph.console import Console
from heliograph.recovery import Recovery
from heliograph.reports import AllTicks, Report, Signals, latency, tally
from heliograph.roles import INGEST
from heliograph.stack import Plan, Stack, running
from heliograph.subscriber import StreamSubscriber
from heliograph.venues import Venue, venue_open
from market.channels import Family
from market.errors import StackError, StoreUnavailableError
from runtime.clock import now

if TYPE_CHECKING:
    from db.connections import Connection

CHANNELS = ["signals:*:*", "bars:*:*"]
_LOOK_EVERY_SECONDS = 0.05
_STUCK_AFTER_SECONDS = 30.0
_READY_SECONDS = 60.0


@asynccontextmanager
async def replayed(
    plan: Plan,
    console: Console,
    simulation: Sequence[str],
    stopping: asyncio.Event,
    *,
    recovering: bool = False,
) -> AsyncIterator[Report | None]:
    """Run the stack on a simulated venue, and give a report when all that the venue sent is processed.

    Its tape ends by itself, or when we are told to stop. None: stopped before anything was sent.
    Everything still runs, until the block ends. ``recovering``: faults and gaps are told and waited for.
    """
    async with running(plan, console) as stack, venue_open(stack, simulation) as venue:
        await stack.start_roles()
        async with subscribed(stack) as subscriber:
            run = Run(stack, venue, subscriber, await _progress(stack))
            recovery = Recovery(stack.database_url, venue, console) if recovering else None
            async with recovery.told() if recovery else nullcontext():
                await stack.start_ingest([await venue.feed()])
                report = await run.complete(stopping)
                if recovery:
                    await recovery.settled(stopping)
        yield report


class Seen(NamedTuple):
    """How far everything was at one look."""

    status: dict[str, Any]
    ticks: AllTicks
    progress: Progress
    delivered: tuple[int, int]


class Run:
    """Follows one run to its end."""

    def __init__(self, stack: Stack, venue: Venue, subscriber: StreamSubscriber, before: Progress) -> None:
        """Follow ``stack`` on ``venue``, as seen by ``subscriber``, from ``before`` on."""
        self._stack = stack
        self._venue = venue
        self._receipts = subscriber.receipts
        self._before = before
        self._began: float | None = None
        self._moved = time.monotonic()
        self._busy_until = self._moved
        self._last: Seen | None = None

    async def complete(self, stopping: asyncio.Event) -> Report | None:
        """Wait until everything offered is stored, folded, and delivered, or nothing moves any more."""
        while True:
            try:
                async with connected(self._stack.database_url, "heliograph run") as connection:
                    return await self._follow(connection, stopping)
            except StoreUnavailableError:
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _follow(self, connection: "Connection", stopping: asyncio.Event) -> Report | None:
        while True:
            if stopping.is_set() and not (self._last and self._last.status["finished"]):
                await self._venue.stop()
            seen = await self._look(connection)
            if stopping.is_set() and not seen.status["frames"]:
                return None
            if self._done(seen) or self._stuck(seen):
                return self._report(seen)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _look(self, connection: "Connection") -> Seen:
        status = await self._venue.status()
        rows = await processes(connection, INGEST.name, self._stack.started_at)
        done = await progress(connection)
        offered = {**status["offered"], "frames": status["unreadable"]}
        ticks = tally(offered, [row.counters.get("feeds", {}) for row in rows])
        delivered = self._receipts.delivered
        seen = Seen(status, ticks, done, (delivered[Family.SIGNALS], delivered[Family.BARS]))
        self._note(seen)
        return seen

    def _note(self, seen: Seen) -> None:
        """Keep the time: of the first frame, of the last work, of the last move."""
        at = time.monotonic()
        if self._began is None and seen.status["frames"]:
            self._began = at
        if self._last is None or seen != self._last:
            self._moved = at
        if self._last is None or seen._replace(ticks=self._last.ticks) != self._last:
            self._busy_until = at  # tallies come once a second: they tell that work was done, not when
        self._last = seen

    def _done(self, seen: Seen) -> bool:
        processed = seen.status["finished"] and not seen.progress.batches
        settled = seen.ticks.settled == seen.ticks.offered
        return processed and settled and seen.delivered == self._computed(seen)

    def _computed(self, seen: Seen) -> tuple[int, int]:
        done, before = seen.progress, self._before
        return done.signals - before.signals, done.bars - before.bars

    def _stuck(self, seen: Seen) -> bool:
        quiet = time.monotonic() - self._moved > _STUCK_AFTER_SECONDS
        if quiet and not seen.status["frames"]:
            message = "nobody subscribed at the simulated venue; see logs/ingest.log in the data folder"
            raise StackError(message)
        return quiet and bool(seen.status["finished"])

    def _report(self, seen: Seen) -> Report:
        signals, bars = self._computed(seen)
        seconds = max(self._busy_until - (self._began or self._busy_until), _LOOK_EVERY_SECONDS)
        return Report(
            ticks=seen.ticks,
            bars=bars,
            signals=Signals(computed=signals, delivered=seen.delivered[0]),
            latency_ms=latency(self._receipts.latencies_us),
            seconds=round(seconds, 3),
            ticks_per_second=round(seen.ticks.offered / seconds, 1),
            lost=seen.ticks.offered - seen.ticks.settled,
            complete=not seen.status["cut"],
        )


async def _progress(stack: Stack) -> Progress:
    async with connected(stack.database_url, "heliograph run") as connection:
        return await progress(connection)


@asynccontextmanager
async def subscribed(stack: Stack) -> AsyncIterator[StreamSubscriber]:
    """Give a subscriber of everything that is logged, once the API has acknowledged it."""
    url = f"ws://{stack.plan.host}:{stack.plan.port}/v1/stream"
    subscriber = StreamSubscriber(url, CHANNELS, now)
    async with asyncio.TaskGroup() as group:
        receiving = group.create_task(subscriber.run())
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await subscriber.subscribed.wait()
            yield subscriber
        except TimeoutError as exc:
            message = f"the API did not take subscribers within {_READY_SECONDS:.0f} s; see logs/api.log"
            raise StackError(message) from exc
        finally:
            receiving.cancel()
