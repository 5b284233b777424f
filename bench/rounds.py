"""Contestants measured in turns, so that what else the machine does hits all of them alike."""

import time
from collections.abc import Awaitable, Callable, Mapping

from bench.effort import Effort

Figures = Mapping[str, float]
"""What was measured once, by name and unit: ``rows/s``."""

Contestant = Callable[[], Awaitable[Figures]]


async def alternate(contestants: Mapping[str, Contestant], effort: Effort) -> dict[str, list[Figures]]:
    """Measure each contestant once a round, there and back, until the effort is spent."""
    measured: dict[str, list[Figures]] = {name: [] for name in contestants}
    names = list(contestants)
    until = time.monotonic() + effort.seconds
    rounds = 0
    while rounds < effort.least_rounds or time.monotonic() < until:
        for name in names:
            measured[name].append(await contestants[name]())
        names.reverse()
        rounds += 1
    return measured
