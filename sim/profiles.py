"""How many ticks a second a made-up venue has, over time."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple

from market.errors import InvalidInputError


class Phase(NamedTuple):
    """A stretch of one rate, in ticks a second of all symbols together."""

    seconds: float
    rate: float


_NAMED = {
    "earnings": (Phase(10.0, 500.0), Phase(1.0, 15_000.0), Phase(30.0, 8_000.0), Phase(inf, 2_000.0)),
}
"""earnings: what an earnings release does to a venue."""

NAMES = tuple(_NAMED)


def steady(rate: float) -> Sequence[Phase]:
    """Return one rate for ever."""
    return (Phase(inf, rate),)


def named(name: str, stretch: float = 1.0) -> Sequence[Phase]:
    """Return a profile, its durations multiplied by ``stretch``; raises InvalidInputError."""
    if name not in _NAMED or stretch <= 0:
        message = f"no profile {name!r} stretched {stretch} times exists; choose one of {', '.join(NAMES)}"
        raise InvalidInputError(message)
    return [Phase(phase.seconds * stretch, phase.rate) for phase in _NAMED[name]]


def ends(phases: Sequence[Phase]) -> list[tuple[float, float]]:
    """Return the time at which each phase ends, with its rate; the last one never does."""
    found = [(0.0, 0.0)]
    for phase in phases:
        found.append((found[-1][0] + phase.seconds, phase.rate))
    return [(inf if later is found[-1] else later[0], later[1]) for _, later in pairwise(found)]
