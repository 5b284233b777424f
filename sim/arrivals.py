"""When orders come: each makes others likelier for a while, so that they come in clusters.

A Hawkes process with an exponential kernel, drawn exactly, without thinning: A. Dassios and H. Zhao,
Electronic Communications in Probability 18 (2013), no. 62.
"""

from collections.abc import Sequence
from math import exp, inf, log
from random import Random

from sim.profiles import Phase, ends

_OFFSPRING = 0.5
"""How many orders each order brings about by itself."""

_DECAY = 50.0
"""How quickly that fades, a second."""


class Arrivals:
    """Times in seconds since the start, whose rate is in the long run that of the phases."""

    def __init__(self, random: Random, phases: Sequence[Phase]) -> None:
        """Begin as if it had always been so."""
        self._draw = random.random
        self._ends = ends(phases)
        self._at = 0.0
        self._rate = self._ends[0][1]
        self._excitement = self._rate * _OFFSPRING

    def next(self) -> float:
        """Return the time of the next order."""
        while True:
            gap = min(self._from_outside(), self._brought_about())
            end = self._ends[0][0]
            if self._at + gap < end:
                self._pass(gap)
                self._excitement += _OFFSPRING * _DECAY
                return self._at
            self._pass(end - self._at)
            self._turn()

    def _from_outside(self) -> float:
        return -log(1.0 - self._draw()) / (self._rate * (1 - _OFFSPRING))

    def _brought_about(self) -> float:
        left = 1.0 + _DECAY * log(1.0 - self._draw()) / self._excitement
        return -log(left) / _DECAY if left > 0 else inf

    def _pass(self, seconds: float) -> None:
        self._excitement *= exp(-_DECAY * seconds)
        self._at += seconds

    def _turn(self) -> None:
        """Go on to the next phase, as excited for its rate as before for the old one."""
        del self._ends[0]
        before, self._rate = self._rate, self._ends[0][1]
        self._excitement *= self._rate / before
