"""The last closes of a tape of bars, and the loops that run over them.

Every sum is a plain loop from the left: ``sum`` and ``mean`` add in an order that may differ between
versions and lengths, and then the same tape would not give the same bytes.
"""

from collections.abc import Sequence

import msgspec

from market.bars import Bar
from market.times import SECOND
from workers.kinds.edges import Edges


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


def density(bars: int, from_ts: int, to_ts: int) -> float:
    """Return the share of the seconds in [from_ts, to_ts) that have one of the ``bars``."""
    return bars * SECOND / (to_ts - from_ts)


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
