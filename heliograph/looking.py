"""One look at everything that runs, and what moved between two: what ``heliograph top`` shows."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from db import instruments, overview
from db.history import gaps, signals
from db.history.gaps import Filters
from db.history.windows import Window
from db.overview import CountedProcess, Overview, Tally
from db.signals import StoredSignal
from market.gaps import Gap, GapState
from market.times import SECOND
from runtime.vitals import flattened

if TYPE_CHECKING:
    from db.connections import Connection

_NEWEST: Final = 8
_RATED: Final = {
    "api": ("subscribers",),
    "ingest": ("writer.commits",),
    "ingest-history": ("pages", "stored"),
    "scheduler": (),
    "worker-backfill": ("intervals", "bars", "models"),
    "worker-live": ("claims", "ticks", "published"),
    "worker-scoring": ("minutes",),
}
"""What is shown of each role, of all that it counts."""

_LEVELS: Final = frozenset({"subscribers"})
"""Of these the value is shown; of the others, how many a second."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Everything as it was at a moment."""

    at: int
    overview: Overview
    tallies: list[Tally]
    counted: list[CountedProcess]
    names: dict[int, str]
    signals: list[StoredSignal]
    gaps: list[Gap]


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the ticks of an exchange, of each a second."""

    exchange: str
    sockets: int
    age_seconds: float | None
    stored: float
    duplicates: float
    rejected: float


class ProcessLine(msgspec.Struct, frozen=True, kw_only=True):
    """A process with what it does a second."""

    role: str
    pid: int
    age_seconds: float
    does: dict[str, float]


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What moved between two looks."""

    feeds: list[FeedLine]
    processes: list[ProcessLine]
    telling_seconds: float | None
    """From a commit to the bus, of the publications in between, on average."""


async def look(connection: "Connection", at: int) -> Look:
    """Look at everything now."""
    listed = await instruments.listed(connection)
    names = {each.instrument_id: each.instrument.key for each in listed}
    unsettled = Filters(states=(GapState.OPEN, GapState.HEALING))
    return Look(
        at=at,
        overview=await overview.read(connection),
        tallies=await overview.tallies(connection),
        counted=await overview.counted(connection),
        names=names,
        signals=await _newest_signals(connection, list(names)),
        gaps=await gaps.read(connection, unsettled, newest_first=True, limit=_NEWEST),
    )


def moved(before: Look, after: Look) -> Moved:
    """Return what moved between two looks; a counter of a process that began meanwhile counts from zero."""
    seconds = max((after.at - before.at) / SECOND, 0.001)
    return Moved(
        feeds=list(_feeds(before, after, seconds)),
        processes=list(_processes(before, after, seconds)),
        telling_seconds=_telling(before, after),
    )


async def _newest_signals(connection: "Connection", ids: list[int]) -> list[StoredSignal]:
    if not ids:
        return []
    return await signals.read(connection, Window(newest_first=True, limit=_NEWEST), instrument_ids=ids)


def _feeds(before: Look, after: Look, seconds: float) -> Iterator[FeedLine]:
    counted = [_by_exchange(each.tallies) for each in (before, after)]
    for exchange in sorted({*counted[1], *(each.exchange for each in after.overview.sockets)}):
        sockets = [each for each in after.overview.sockets if each.exchange == exchange]
        ages = [each.frame_age_seconds for each in sockets if each.frame_age_seconds is not None]
        was, now = (each.get(exchange, {}) for each in counted)
        rates = {name: (now.get(name, 0) - was.get(name, 0)) / seconds for name in _OUTCOMES}
        yield FeedLine(exchange=exchange, sockets=len(sockets), age_seconds=max(ages, default=None), **rates)


_OUTCOMES: Final = ("stored", "duplicates", "rejected")


def _by_exchange(tallies: list[Tally]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for tally in tallies:
        counts = found.setdefault(tally.exchange, dict.fromkeys(_OUTCOMES, 0))
        for name in _OUTCOMES:
            counts[name] += getattr(tally, name)
    return found


def _processes(before: Look, after: Look, seconds: float) -> Iterator[ProcessLine]:
    known = {each.process_id: dict(flattened(each.counters)) for each in before.counted}
    for process in after.counted:
        was, now = known.get(process.process_id, {}), dict(flattened(process.counters))
        does = {
            name: now[name] if name in _LEVELS else (now[name] - was.get(name, 0.0)) / seconds
            for name in _RATED.get(process.role, ())
            if name in now
        }
        yield ProcessLine(role=process.role, pid=process.pid, age_seconds=process.age_seconds, does=does)


def _telling(before: Look, after: Look) -> float | None:
    was, now = (_summed(each.counted) for each in (before, after))
    published = now["published"] - was["published"]
    return (now["publishing_seconds"] - was["publishing_seconds"]) / published if published > 0 else None


def _summed(counted: list[CountedProcess]) -> Mapping[str, float]:
    live: list[dict[str, Any]] = [each.counters for each in counted if each.role == "worker-live"]
    return {
        name: sum(float(each.get(name, 0)) for each in live) for name in ("published", "publishing_seconds")
    }
