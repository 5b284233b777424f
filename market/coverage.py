"""The share of an interval in which a feed was proven up. Intervals are half-open, in microseconds."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

import msgspec


class Interval(NamedTuple):
    """[from_ts, to_ts)."""

    from_ts: int
    to_ts: int


class Proof(msgspec.Struct, frozen=True):
    """An interval in which one kind of an instrument's ticks was proven complete."""

    instrument_id: int
    kind: str
    from_ts: int
    to_ts: int


def united(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the union as intervals that neither touch nor overlap, in order."""
    found: list[Interval] = []
    for each in sorted(interval for interval in intervals if interval.from_ts < interval.to_ts):
        if found and each.from_ts <= found[-1].to_ts:
            found[-1] = Interval(found[-1].from_ts, max(found[-1].to_ts, each.to_ts))
        else:
            found.append(each)
    return found


def without(whole: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """Return the union of ``whole`` minus the union of ``holes``, in order."""
    cuts = united(holes)
    return [part for each in united(whole) for part in _cut(each, cuts)]


def within(intervals: Iterable[Interval], from_ts: int, to_ts: int) -> list[Interval]:
    """Return what of the intervals' union lies in [from_ts, to_ts)."""
    clipped = (Interval(max(each.from_ts, from_ts), min(each.to_ts, to_ts)) for each in intervals)
    return united(clipped)


def _cut(whole: Interval, cuts: Iterable[Interval]) -> Iterator[Interval]:
    at = whole.from_ts
    for cut in cuts:
        if at < min(cut.from_ts, whole.to_ts):
            yield Interval(at, min(cut.from_ts, whole.to_ts))
        at = max(at, cut.to_ts)
    if at < whole.to_ts:
        yield Interval(at, whole.to_ts)


class Coverage(msgspec.Struct, frozen=True):
    """What is known of one kind of an instrument's ticks.

    ``proven`` are the proofs, ``unproven`` the gaps that are not closed: these override.
    """

    proven: Sequence[Interval] = ()
    unproven: Sequence[Interval] = ()

    def intervals(self, from_ts: int, to_ts: int) -> list[Interval]:
        """Return the parts of [from_ts, to_ts) that are covered, in order."""
        return within(without(self.proven, self.unproven), from_ts, to_ts)

    def share(self, from_ts: int, to_ts: int) -> float:
        """Return the share of [from_ts, to_ts) that is covered, in [0, 1]; an instant is a microsecond long.

        It is 1.0 only when no microsecond is missing.
        """
        return self.shares([Interval(from_ts, to_ts)])[0]

    def shares(self, windows: Iterable[Interval]) -> list[float]:
        """Return the share of each window that is covered; of many, the arithmetic is done once."""
        covered = without(self.proven, self.unproven)
        ends = [each.to_ts for each in covered]
        return [_share(covered, bisect_right(ends, each.from_ts), each) for each in windows]


def _share(parts: Sequence[Interval], first: int, window: Interval) -> float:
    """Return the share of a window, given the covered parts; ``first`` is the first to end in it or later."""
    from_ts, to_ts = window.from_ts, max(window.to_ts, window.from_ts + 1)
    later = (parts[place] for place in range(first, len(parts)))
    inside = takewhile(lambda each: each.from_ts < to_ts, later)
    covered = sum(min(each.to_ts, to_ts) - max(each.from_ts, from_ts) for each in inside)
    return covered / (to_ts - from_ts)


NOTHING = Coverage()
"""The coverage of what was never listened to: 0 everywhere."""
