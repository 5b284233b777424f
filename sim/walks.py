"""A made-up price: calm stretches, and bursts in one direction."""

from math import exp, log, sqrt
from random import Random
from typing import NamedTuple

_CALM_SECONDS = (6.0, 12.0)
_BURST_SECONDS = (10.0, 16.0)
_FIRST_CALM_SECONDS = (2.0, 4.0)

_DRIFT = 3e-4
"""Relative change a second in a burst."""

_NOISE = 4e-5
"""Relative change of a second's randomness."""

_CONTRARINESS = 0.3
"""How much less than even the odds are of a second burst in the same direction."""

_HOMESICKNESS = 10.0
"""How strongly the direction of a burst prefers the way back to the first price."""


class Stretch(NamedTuple):
    """A time of one mood: ``lean`` is 1 in a rally, -1 in a slump, 0 in a calm."""

    ends_at: float
    lean: int


class Walk:
    """A price that follows from its random source alone; time is seconds since the start."""

    def __init__(self, random: Random, price: float) -> None:
        """Begin with a short calm at ``price``."""
        self._random = random
        self._home = price
        self._at = 0.0
        self._burst = 0
        self._stretch = Stretch(random.uniform(*_FIRST_CALM_SECONDS), 0)
        self.price = price

    @property
    def lean(self) -> int:
        """Return the direction of the mood."""
        return self._stretch.lean

    def advance(self, at: float) -> None:
        """Go on to the time ``at``."""
        if at >= self._stretch.ends_at:
            self._stretch = self._next_stretch(at)
        passed = max(at - self._at, 0.0)
        change = self.lean * _DRIFT * passed + self._random.gauss(0.0, _NOISE) * sqrt(passed)
        self.price *= exp(change)
        self._at = at

    def _next_stretch(self, at: float) -> Stretch:
        if self.lean:
            return Stretch(at + self._random.uniform(*_CALM_SECONDS), 0)
        upwards = 0.5 - _CONTRARINESS * self._burst - _HOMESICKNESS * log(self.price / self._home)
        self._burst = lean = 1 if self._random.random() < min(max(upwards, 0.1), 0.9) else -1
        return Stretch(at + self._random.uniform(*_BURST_SECONDS), lean)
