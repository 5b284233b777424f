"""What a fold decided, compared with what was told of the same stretch before. Pure."""

from collections.abc import Collection, Mapping
from typing import Generic, TypeVar

import msgspec

from market.bars import Bar
from market.gaps import DEPTHS, TRADES
from market.indicators import EVERY
from market.signals import Signal
from market.times import SECOND, floor
from workers.folding import DecidedSignal, FinalBar, InstrumentState
from workers.kinds.catalogue import KINDS
from workers.kinds.fold import Input
from workers.running import SHORTEST_FIRST

Decided = TypeVar("Decided", FinalBar, DecidedSignal)
Told = TypeVar("Told", Bar, Signal)

BarKey = tuple[int, int]
SignalKey = tuple[str, int, int]

_MINUTE = SHORTEST_FIRST.index(EVERY)
_DEPTH_KINDS = frozenset(fold.kind for fold in KINDS if fold.input is Input.DEPTH)


class Changes(msgspec.Struct, Generic[Decided, Told], frozen=True):
    """``new`` was never told; ``changed`` was told otherwise; ``gone`` was told and is not so."""

    new: list[Decided]
    changed: list[Decided]
    gone: list[Told]


class Since(msgspec.Struct, frozen=True):
    """What can have been told after a state: bars from these starts on, signals at or after these times."""

    bar_starts: dict[int, int]
    bar_signals: int
    depth_signals: int


def bar_key(bar: Bar) -> BarKey:
    """Return what names a bar on its instrument."""
    return bar.interval, bar.start


def signal_key(signal: Signal) -> SignalKey:
    """Return what names a signal on its instrument."""
    return signal.kind, signal.version, signal.ts


def since(state: InstrumentState) -> Since:
    """Return what can have been told after ``state``: bars that still ran, or ended later."""
    starts = {
        interval: running.start if running else state.cursor.ts - interval + 1
        for interval, running in zip(SHORTEST_FIRST, state.running, strict=True)
    }
    return Since(starts, starts[SECOND] + SECOND, state.cursor.ts + 1)


def is_told_after(told: Since, signal: Signal) -> bool:
    """Tell whether a signal can have been told after the state that ``told`` was made from."""
    return signal.ts >= (told.depth_signals if signal.kind in _DEPTH_KINDS else told.bar_signals)


class Ours(msgspec.Struct, frozen=True):
    """What live may tell and correct when it folds again: the rest it leaves to repairs.

    That is what ended by ``settled_ts``, unless it cannot have been ``told`` yet: a bar may run on for long
    when nothing closes it.
    """

    told: Since
    settled_ts: int

    def bar(self, bar: Bar) -> bool:
        """Tell whether a bar is live's."""
        return bar.end > self.settled_ts or bar.start >= self.told.bar_starts[bar.interval]

    def signal(self, signal: Signal) -> bool:
        """Tell whether a signal is live's: it is as old as the bar that ends with it, or its depth."""
        settled = signal.ts < self.settled_ts + (signal.kind not in _DEPTH_KINDS)
        return not settled or is_told_after(self.told, signal)


def undecided(state: InstrumentState) -> dict[str, int]:
    """Return from which time on indicators may still come, by what they are computed from."""
    bar, depth, later = state.running[_MINUTE], state.depth, state.cursor.ts + 1
    return {
        TRADES: bar.end if bar else later,
        DEPTHS: floor(depth.ts, EVERY) + EVERY if depth else later,
    }


def undecided_from(state: InstrumentState) -> int:
    """Return from which time on any indicator may still come: those before are decided by ``state``."""
    return min(undecided(state).values())


def settled_ts(state: InstrumentState) -> int:
    """Return until when bars are settled: no tick after ``state`` makes or changes one that ended by then.

    A quote or a depth may lie behind the end of a bar that nothing has closed yet.
    """
    return min([state.cursor.ts, *(running.end - 1 for running in state.running if running)])


def compare_bars(decided: Collection[FinalBar], told: Mapping[BarKey, Bar]) -> Changes[FinalBar, Bar]:
    """Compare bars by content."""
    keys = {bar_key(each.bar) for each in decided}
    return Changes(
        new=[each for each in decided if bar_key(each.bar) not in told],
        changed=[each for each in decided if told.get(bar_key(each.bar), each.bar) != each.bar],
        gone=[bar for key, bar in told.items() if key not in keys],
    )


def compare_signals(
    decided: Collection[DecidedSignal], told: Mapping[SignalKey, Signal]
) -> Changes[DecidedSignal, Signal]:
    """Compare signals by content."""
    keys = {signal_key(each.signal) for each in decided}
    return Changes(
        new=[each for each in decided if signal_key(each.signal) not in told],
        changed=[each for each in decided if told.get(signal_key(each.signal), each.signal) != each.signal],
        gone=[signal for key, signal in told.items() if key not in keys],
    )


def joined(one: Changes[Decided, Told], other: Changes[Decided, Told]) -> Changes[Decided, Told]:
    """Return the changes of two stretches that do not overlap."""
    return Changes(one.new + other.new, one.changed + other.changed, one.gone + other.gone)
