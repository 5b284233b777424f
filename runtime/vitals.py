"""What every process tells of itself: who it is, what it holds, and what it has counted."""

import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Protocol

from runtime.memory import resident_bytes
from runtime.metrics import Metrics


class Beating(Protocol):
    """A heartbeat: what it carries, and how long ago PostgreSQL took it."""

    def counted(self) -> Mapping[str, object]:
        """Return what this process has counted."""

    def age_seconds(self) -> float | None:
        """Return how long ago it was written; None before the first time."""


def measure(metrics: Metrics, heartbeat: Beating | None) -> None:
    """Set what is told of this process, as it is now."""
    metrics.gauge("heliograph_build_info").labels(metrics.role, version("heliograph")).set(1)
    metrics.gauge("heliograph_resident_bytes").set(resident_bytes() or 0)
    metrics.gauge("heliograph_cpu_seconds").set(time.process_time())
    if heartbeat is None:
        return
    age = heartbeat.age_seconds()
    metrics.gauge("heliograph_heartbeat_age_seconds").set(float("inf") if age is None else age)
    counted = metrics.gauge("heliograph_counted")
    for what, value in flattened(heartbeat.counted()):
        counted.labels(what).set(value)


def flattened(counters: Mapping[str, object], path: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number with the names that lead to it, joined by dots."""
    for name, value in counters.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{path}{name}.")
        elif isinstance(value, int | float):
            yield f"{path}{name}", float(value)
