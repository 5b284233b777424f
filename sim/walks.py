"""A made-up price: calm stretches, and bursts in one direction, each more or less volatile."""

from math import exp, log, sqrt
from random import Random
from typing import NamedTuple

_CALM_SECONDS = (6.0, 12.0)
_BURST_SECONDS = (10.0, 16.0)
_FIRST_CALM_SECONDS = (2.0, 4.0)

_DRIFT = 3e-4
"""Relative change a second in a burst."""

_NOISE = 4e-5
"""Relative change of a second's randomness, where it is neither quiet nor wild."""

_REGIMES = (0.5, 1.0, 3.0)
"""Noise of quiet, usual, and wild stretches, in the usual one."""

_REGIME_ODDS = (3, 4, 1)

_CONTRARINESS = 0.3
"""How much less than even the odds are of a second burst in the same direction."""

_HOMESICKNESS = 10.0
"""How strongly the direction of a burst prefers the way back to the first price."""

_STEP_SECONDS = 0.02
"""The price moves at these steps alone, so that it does not depend on when it is looked at."""


class Stretch(NamedTuple):
    """A time of one mood: ``lean`` is 1 in a rally, -1 in a slump, 0 in a calm."""

    ends_at: float
    lean: int
    noise: float


class Walk:
    """A price that follows from its random source alone; time is seconds since the start."""

    def __init__(self, random: Random, price: float) -> None:
        """Begin with a short calm at ``price``."""
        self._random = random
        self._home = price
        self._steps = 0
        self._burst = 0
        self._stretch = Stretch(random.uniform(*_FIRST_CALM_SECONDS), 0, _NOISE)
        self.price = price

    @property
    def lean(self) -> int:
        """Return the direction of the mood."""
        return self._stretch.lean

    def advance(self, at: float) -> None:
        """Go on to the time ``at``."""
        while (self._steps + 1) * _STEP_SECONDS <= at:
            self._steps += 1
            self._step(self._steps * _STEP_SECONDS)

    def _step(self, at: float) -> None:
        if at >= self._stretch.ends_at:
            self._stretch = self._next_stretch(at)
        _, lean, noise = self._stretch
        drift = lean * _DRIFT * _STEP_SECONDS
        self.price *= exp(drift + self._random.gauss(0.0, noise) * sqrt(_STEP_SECONDS))

    def _next_stretch(self, at: float) -> Stretch:
        noise = _NOISE * self._random.choices(_REGIMES, _REGIME_ODDS)[0]
        if self.lean:
            return Stretch(at + self._random.uniform(*_CALM_SECONDS), 0, noise)
        upwards = 0.5 - _CONTRARINESS * self._burst - _HOMESICKNESS * log(self.price / self._home)
        self._burst = lean = 1 if self._random.random() < min(max(upwards, 0.1), 0.9) else -1
        return Stretch(at + self._random.uniform(*_BURST_SECONDS), lean, noise)
