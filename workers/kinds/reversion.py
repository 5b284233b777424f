"""Mean reversion: the close lies many standard deviations from the mean of its last minute of bars."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import ClassVar

import msgspec

from market.bars import Bar
from market.signals import Signal
from workers.kinds.closes import Closes, ClosesState, density, left_sum
from workers.kinds.edges import MEMORY, symmetric
from workers.kinds.fold import Input, Memory
from workers.kinds.reading import Reading, decide


class Reversion(msgspec.Struct, frozen=True):
    """Up while the close is far below the mean, down while far above: where it is expected to return."""

    bars: int = 60
    enter: float = 2.5
    leave: float = 1.0
    full: float = 5.0

    kind: ClassVar[str] = "reversion"
    version: ClassVar[int] = 1
    input: ClassVar[Input] = Input.BARS
    state_type: ClassVar[type[ClosesState]] = ClosesState

    @property
    def parameters(self) -> Mapping[str, float]:
        """Return every number that was chosen, by name."""
        return msgspec.structs.asdict(self)

    @property
    def memory(self) -> Memory:
        """Return how far back it looks."""
        return Memory(items=self.bars, span=MEMORY)

    def start(self) -> ClosesState:
        """Return the state before the first bar."""
        return ClosesState()

    def step(self, state: ClosesState, bar: Bar, /) -> tuple[ClosesState, Signal | None]:
        """Take in a closed bar of one second."""
        closes = state.closes.push(bar, self.bars)
        if len(closes.closes) < self.bars:
            return ClosesState(closes, state.edges), None
        edges, signal = decide(self, symmetric(self.enter, self.leave), state.edges, self.read(closes, bar))
        return ClosesState(closes, edges), signal

    def read(self, closes: Closes, bar: Bar) -> Reading:
        """Measure how far the close of ``bar`` lies from the mean, in standard deviations."""
        mean, deviation = mean_and_deviation(closes.closes)
        z_score = (bar.close - mean) / deviation if deviation else 0.0
        return Reading(
            value=-z_score,
            strength=min(abs(z_score) / self.full, 1.0),
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
