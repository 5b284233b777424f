"""Contestants measured in turns, so that what else the machine does hits all of them alike."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import numpy as np

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


def percentiles(seconds: Sequence[float], of: str = "") -> Figures:
    """Return ``p50 ms`` and ``p99 ms`` of what took so long, named ``of``."""
    return {f"{of}p{which} ms": float(np.percentile(seconds, which)) * 1000 for which in (50, 99)}
