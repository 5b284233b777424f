"""Mean reversion: the close lies many standard deviations from the mean of its last minute of bars."""

from collections.abc import Sequence
from math import sqrt
from typing import ClassVar

from market.bars import Bar
from workers.kinds.closes import Closes, ClosesKind, clamped, density, left_sum
from workers.kinds.edges import Thresholds, symmetric
from workers.kinds.reading import Reading


class Reversion(ClosesKind, frozen=True):
    """Up while the close is far below the mean, down while far above: where it is expected to return."""

    bars: int = 60
    enter: float = 2.5
    leave: float = 1.0
    full: float = 5.0

    kind: ClassVar[str] = "reversion"
    version: ClassVar[int] = 2

    @property
    def lookback(self) -> int:
        """Return of how many closes it measures something."""
        return self.bars

    @property
    def thresholds(self) -> Thresholds:
        """Return the same thresholds for up and for down."""
        return symmetric(self.enter, self.leave)

    def read(self, closes: Closes, bar: Bar) -> Reading:
        """Measure how far the close of ``bar`` lies from the mean, in standard deviations."""
        mean, deviation = mean_and_deviation(closes.closes)
        z_score = (bar.close - mean) / deviation if deviation else 0.0
        return Reading(
            value=-z_score,
            strength=clamped(-z_score / self.full),
            confidence=density(len(closes.closes), closes.starts[0], bar.end),
            price=bar.close,
            evidence={"z_score": z_score, "mean": mean, "deviation": deviation},
            from_ts=closes.starts[0],
            to_ts=bar.end,
        )


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the population standard deviation.

    Distances from the first value are averaged, so that equal values deviate by exactly zero.
    """
    first = values[0]
    distances = [value - first for value in values]
    mean = left_sum(distances) / len(values)
    squares = left_sum([(distance - mean) * (distance - mean) for distance in distances])
    return first + mean, sqrt(squares / len(values))
