"""A job, watched until it is over and computed: a bar on a terminal, else a line a second."""

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from db import asked, feeds, verifications
from db.asked import RECOMPUTE, StoredJob
from db.connections import connected
from db.instruments import listed
from heliograph.durations import duration
from market.errors import StoreError
from runtime.lifecycle import wait_at_most

if TYPE_CHECKING:
    from rich.progress import Progress

    from db.connections import Connection

_LOOK_SECONDS: Final = 1.0
_RATE_SECONDS: Final = 15.0
"""How far back the rate looks."""


class Look(NamedTuple):
    """How a job is: ``computing`` stretches wait, of what it stored; rates by the watcher's own clock.

    ``later``: so many more wait until their instruments are listened to.
    """

    job: StoredJob
    computing: int
    rows_per_second: float
    later: int = 0

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more comes of it: what was stored is computed, too."""
        return self.job.is_over and not self.computing

    @property
    def seconds_left(self) -> float | None:
        """Return about how long it takes still."""
        left = max(self.job.rows - self.job.fetched, 0)
        return left / self.rows_per_second if self.rows_per_second else None


class Rate:
    """Rows a second, of late."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def at(self, seconds: float, rows: int) -> float:
        """Return the rate after a look."""
        self._seen.append((seconds, rows))
        while len(self._seen) > 1 and seconds - self._seen[1][0] >= _RATE_SECONDS:
            self._seen.popleft()
        began, before = self._seen[0]
        return (rows - before) / (seconds - began) if seconds > began else 0.0


class Screen(Protocol):
    """Shows looks."""

    def show(self, look: Look) -> None:
        """Show one."""


async def watch(
    url: str, job_id: int, screen: Screen, stopping: asyncio.Event, clock: Callable[[], float]
) -> StoredJob | None:
    """Watch until the job is over, and return it; None when told to stop before."""
    async for look in _looks(url, job_id, stopping, clock):
        screen.show(look)
        if look.is_over:
            return look.job
    return None


async def _looks(
    url: str, job_id: int, stopping: asyncio.Event, clock: Callable[[], float]
) -> AsyncIterator[Look]:
    """Yield a look a second, through every loss of PostgreSQL."""
    rate = Rate()
    while not stopping.is_set():
        try:
            async with connected(url, "heliograph jobs") as connection:
                while not stopping.is_set():
                    job = await asked.job(connection, job_id)
                    waiting = await computing(connection, job)
                    yield Look(job, waiting.soon, rate.at(clock(), job.fetched), waiting.later)
                    await wait_at_most(stopping, _LOOK_SECONDS)
        except StoreError as error:
            if not error.retryable:
                raise
            await wait_at_most(stopping, _LOOK_SECONDS)


class Uncomputed(NamedTuple):
    """How many stretches wait to be computed: what is ``later`` waits until it is listened to."""

    soon: int
    later: int


async def computing(connection: "Connection", job: StoredJob) -> Uncomputed:
    """Return how many stretches of a job's range wait to be computed.

    Nothing is computed beyond where live has come; where nobody listens, it does not come further.
    """
    if job.from_ts is None or job.to_ts is None:
        return Uncomputed(0, 0)
    soon, every = 0, 0
    listening = {str(feed.name) for feed in await feeds.feeds(connection) if feed.state == feeds.ACTIVE}
    for each in await listed(connection):
        if (key := each.instrument.key) in job.names:
            until, one = job.to_ts, [each.instrument_id]
            if key not in listening:
                live = await verifications.cursor(connection, each)
                until = job.from_ts if live is None else min(until, live.ts + 1)
            soon += await asked.uncomputed(connection, one, job.from_ts, until)
            every += await asked.uncomputed(connection, one, job.from_ts, job.to_ts)
    return Uncomputed(soon, every - soon)


class Lines:
    """A line a look, for logs and pipes."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def show(self, look: Look) -> None:
        """Print it."""
        line = json.dumps(progress(look)) if self._as_json else sentence(look)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


class Bar:
    """A bar, for people."""

    def __init__(self, progress_: "Progress") -> None:
        self._progress = progress_
        self._task = progress_.add_task("", total=None)

    def show(self, look: Look) -> None:
        """Draw it."""
        job = look.job
        total = max(job.rows, job.fetched, 1)
        done = total if job.state == "done" else min(job.fetched, total)
        self._progress.update(self._task, total=total, completed=done, description=sentence(look))


def drawn(*, as_json: bool) -> AbstractContextManager[Screen]:
    """Return the screen that fits standard output, for as long as the block runs."""
    if as_json or not sys.stdout.isatty():
        return nullcontext(Lines(as_json=as_json))
    return _Drawn()


class _Drawn:
    def __enter__(self) -> Screen:
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(BarColumn(), TextColumn("{task.percentage:>3.0f} % {task.description}"))
        self._progress.start()
        return Bar(self._progress)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def sentence(look: Look) -> str:
    """Return a look in words."""
    job, left = look.job, look.seconds_left
    if job.kind == RECOMPUTE:
        handed_on = f"{job.done} of {job.pieces} pieces handed on"
        return f"job {job.job_id} {job.state}: {handed_on}; {look.computing} to compute"
    if job.state == "done":
        later = f", {look.later} once it is listened to" if look.later else ""
        counted = f"{job.stored:,} new of {job.fetched:,} trades"
        return f"job {job.job_id}: {counted}; {look.computing} to compute{later}"
    eta = f", {duration(left)} left" if left is not None and not job.is_over else ""
    detail = f"; {job.detail}" if job.detail else ""
    pieces = f"{job.done} of {job.pieces} pieces"
    return (
        f"job {job.job_id} {job.state}: {job.fetched:,} of about {job.rows:,} trades, {pieces}, "
        f"{look.rows_per_second:,.0f} rows/s{eta}{detail}"
    )


def progress(look: Look) -> dict[str, Any]:
    """Return a look as JSON has it."""
    job = look.job
    return {
        "job_id": job.job_id,
        "state": job.state,
        "rows": job.rows,
        "fetched": job.fetched,
        "stored": job.stored,
        "requests": job.requests,
        "pieces": job.pieces,
        "done": job.done,
        "computing": look.computing,
        "computed_later": look.later,
        "rows_per_second": round(look.rows_per_second, 1),
        "seconds_left": None if look.seconds_left is None else round(look.seconds_left, 1),
        "detail": job.detail,
    }
