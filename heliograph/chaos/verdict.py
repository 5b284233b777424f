"""What was stored, compared with what truly happened: decisions without any I/O."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from math import isclose
from typing import NamedTuple

import msgspec

from db.audits import Entry, StoredBar, StoredTrade
from heliograph.chaos.logs import Thing, heard
from market.bars import NAMES
from market.channels import Family
from market.coverage import Coverage, Interval
from market.gaps import Gap, GapState
from market.times import SECOND, floor

_MILLISECOND = 1000
_SIDES = {"buy": 1, "sell": -1}


class Told(msgspec.Struct, frozen=True):
    """A trade as the venue says that it happened; ``forgotten``: its own history lacks it for ever."""

    id: int
    ts: int
    price: str
    size: str
    side: str
    forgotten: bool


class Evidence(NamedTuple):
    """All that there is of one instrument. ``dirty`` waits to be computed again: its bars are not judged.

    ``different`` counts the rows that verification finds unlike what the stored tape gives.
    """

    tape: Sequence[Told]
    stored: Sequence[StoredTrade]
    bars: Sequence[StoredBar]
    gaps: Sequence[Gap]
    coverage: Coverage
    dirty: Sequence[Interval]
    log: Sequence[Entry]
    signals: Sequence[tuple[str, int]]
    different: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one instrument's trades and bars; those from ``lost`` on must be 0.

    ``forgotten`` are missing, excused by the venue's own history.
    """

    tape: int
    stored: int
    forgotten: int
    lost: int
    invented: int
    repeated: int
    unexplained: int
    bars_wrong: int
    bars_sure_of_holes: int
    unlike_the_tape: int
    told_twice: int
    told_wrong: int

    @property
    def faults(self) -> int:
        """Return how much is wrong."""
        wrong = self.lost + self.invented + self.repeated + self.unexplained
        told = self.unlike_the_tape + self.told_twice + self.told_wrong
        return wrong + told + self.bars_wrong + self.bars_sure_of_holes


def judge(evidence: Evidence) -> Verdict:
    """Compare the venue's tape, from the first trade stored on, with what is stored."""
    stored = {trade.trade_id: trade for trade in evidence.stored}
    first = min(stored, default=0)
    tape = [trade for trade in evidence.tape if trade.id >= first]
    missing = [trade for trade in tape if trade.id not in stored]
    known = {trade.id for trade in tape if trade.id in stored and _same(trade, stored[trade.id])}
    told = heard(evidence.log, _things(evidence))
    return Verdict(
        tape=len(tape),
        stored=len(stored),
        forgotten=sum(trade.forgotten for trade in missing),
        lost=sum(not trade.forgotten for trade in missing),
        invented=len(stored.keys() - known),
        repeated=len(evidence.stored) - len(stored),
        unexplained=sum(not _explained(trade, evidence.gaps) for trade in missing),
        bars_wrong=_bars_wrong(evidence),
        bars_sure_of_holes=_sure_of_holes(evidence.coverage, evidence.bars, missing),
        unlike_the_tape=evidence.different,
        told_twice=told.twice,
        told_wrong=told.wrong,
    )


def _things(evidence: Evidence) -> set[Thing]:
    bars = {(Family.BARS.value, NAMES[bar.interval_seconds * SECOND], bar.start) for bar in evidence.bars}
    return bars | {(Family.SIGNALS.value, *signal) for signal in evidence.signals}


def _same(told: Told, stored: StoredTrade) -> bool:
    """Tell whether both are one trade; venues tell its time by the millisecond on some of their roads."""
    numbers = Decimal(told.price), Decimal(told.size)
    near = abs(told.ts - stored.ts) < _MILLISECOND
    return (
        near
        and numbers == (_decimal(stored.price), _decimal(stored.size))
        and _SIDES[told.side] == stored.side
    )


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


def _explained(trade: Told, gaps: Iterable[Gap]) -> bool:
    """Tell whether a missing trade lies in a gap that says that it cannot be had."""
    lost = (gap for gap in gaps if gap.state is GapState.UNRECOVERABLE)
    return any(_holds(gap, trade) for gap in lost)


def _holds(gap: Gap, trade: Told) -> bool:
    if gap.after_id is None or gap.before_id is None:
        return gap.from_ts <= trade.ts <= gap.to_ts
    return gap.after_id < trade.id < gap.before_id


def _bars_wrong(evidence: Evidence) -> int:
    """Count bars that are not what their trades give, and those that are missing between others."""
    return sum(
        _unlike(bars, dict(_folded(evidence.stored, seconds)), evidence.dirty)
        for seconds, bars in _by_interval(evidence.bars)
    )


def _by_interval(bars: Iterable[StoredBar]) -> Iterator[tuple[int, dict[int, StoredBar]]]:
    for seconds, group in groupby(bars, lambda bar: bar.interval_seconds):
        yield seconds, {bar.start: bar for bar in group}


def _folded(trades: Iterable[StoredTrade], seconds: int) -> Iterator[tuple[int, StoredBar]]:
    for start, group in groupby(trades, lambda trade: floor(trade.ts, seconds * SECOND)):
        inside = list(group)
        prices = [trade.price for trade in inside]
        volume = sum(trade.size for trade in inside)
        ends = prices[0], max(prices), min(prices), prices[-1]
        yield start, StoredBar(seconds, start, *ends, volume, len(inside))


def _unlike(bars: Mapping[int, StoredBar], wanted: Mapping[int, StoredBar], dirty: Iterable[Interval]) -> int:
    newest = max(bars)
    due = {start: bar for start, bar in wanted.items() if start <= newest}
    waiting = {start for start in due.keys() | bars.keys() if _waits(start, dirty)}
    return sum(not _equal(bars.get(start), due.get(start)) for start in (due.keys() | bars.keys()) - waiting)


def _waits(start: int, dirty: Iterable[Interval]) -> bool:
    return any(each.from_ts <= start < each.to_ts for each in dirty)


def _equal(one: StoredBar | None, other: StoredBar | None) -> bool:
    """Compare two bars; volumes are sums, and sums of doubles depend on their order."""
    if one is None or other is None:
        return one is other
    volumes = isclose(one.volume, other.volume, rel_tol=1e-9)
    return volumes and one._replace(volume=0.0) == other._replace(volume=0.0)


def _sure_of_holes(coverage: Coverage, bars: Sequence[StoredBar], missing: Sequence[Told]) -> int:
    """Count bars that a trade is missing of, and whose coverage does not say so."""
    times = sorted(trade.ts for trade in missing)
    holed = [bar for bar in bars if _any_in(times, bar.start, bar.start + bar.interval_seconds * SECOND)]
    windows = [Interval(bar.start, bar.start + bar.interval_seconds * SECOND) for bar in holed]
    return sum(share == 1.0 for share in coverage.shares(windows))


def _any_in(times: Sequence[int], from_ts: int, to_ts: int) -> bool:
    place = bisect_left(times, from_ts)
    return place < len(times) and times[place] < to_ts
