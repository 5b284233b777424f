"""The last closes of a tape of bars, the kinds that look at them alone, and the loops that run over them.

Every sum is a plain loop from the left: ``sum`` and ``mean`` add in an order that may differ between
versions and lengths, and then the same tape would not give the same bytes.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from market.bars import Bar
from market.signals import Signal
from market.times import SECOND
from workers.kinds.edges import MEMORY, Edges, Thresholds
from workers.kinds.fold import Input, Kind, Memory
from workers.kinds.reading import Reading, decide


class Closes(msgspec.Struct, frozen=True, array_like=True):
    """The starts and closes of the newest bars, oldest first."""

    starts: tuple[int, ...] = ()
    closes: tuple[float, ...] = ()

    def push(self, bar: Bar, size: int) -> "Closes":
        """Return the newest ``size`` bars, ``bar`` among them."""
        return Closes((*self.starts, bar.start)[-size:], (*self.closes, bar.close)[-size:])


class ClosesState(msgspec.Struct, frozen=True, array_like=True):
    """The state of a kind that looks at closes alone."""

    closes: Closes = Closes()
    edges: Edges = Edges()


class ClosesKind(Kind, frozen=True):
    """A kind that measures something of a fixed number of closes."""

    kind: ClassVar[str]
    version: ClassVar[int]
    input: ClassVar[Input] = Input.BARS
    state_type: ClassVar[type[ClosesState]] = ClosesState

    @property
    @abstractmethod
    def lookback(self) -> int:
        """Return of how many closes it measures something; fewer tell nothing."""

    @property
    @abstractmethod
    def thresholds(self) -> Thresholds:
        """Return what the readings are held against."""

    @abstractmethod
    def read(self, closes: Closes, bar: Bar) -> Reading:
        """Measure it at the close of ``bar``, the last of ``closes``."""

    @property
    def memory(self) -> Memory:
        """Return how far back it looks."""
        return Memory(items=self.lookback, span=MEMORY)

    def measure(self, state: ClosesState, bar: Bar, /) -> Reading | None:
        """Return what is read at ``bar``, the last that ``state`` has taken in."""
        enough = len(state.closes.closes) == self.lookback
        return self.read(state.closes, bar) if enough else None

    def start(self) -> ClosesState:
        """Return the state before the first bar."""
        return ClosesState()

    def step(self, state: ClosesState, bar: Bar, /) -> tuple[ClosesState, Signal | None]:
        """Take in a closed bar of one second."""
        closes = state.closes.push(bar, self.lookback)
        if len(closes.closes) < self.lookback:
            return ClosesState(closes, state.edges), None
        edges, signal = decide(self, self.thresholds, state.edges, self.read(closes, bar))
        return ClosesState(closes, edges), signal


def density(bars: int, from_ts: int, to_ts: int) -> float:
    """Return the share of the seconds in [from_ts, to_ts) that have one of the ``bars``."""
    return bars * SECOND / (to_ts - from_ts)


def clamped(value: float) -> float:
    """Return the value, or the nearer of -1 and 1 when it lies beyond."""
    return max(-1.0, min(value, 1.0))


def left_sum(values: Sequence[float]) -> float:
    """Return the sum, added one by one from the left."""
    total = 0.0
    for value in values:
        total += value
    return total


def ema(values: Sequence[float], period: int) -> float:
    """Return the exponential moving average at the last of ``values``.

    It is seeded with the mean of the first ``period`` values; each later one weighs 2 / (period + 1).
    """
    weight = 2.0 / (period + 1)
    average = left_sum(values[:period]) / period
    for value in values[period:]:
        average += weight * (value - average)
    return average
