"""How long the parts of a claim take, and how long ticks waited for it."""

from collections.abc import Callable, Sequence
from time import perf_counter

from market.batches import Batch
from market.times import SECOND
from runtime.metrics import Metrics


class Stopwatch:
    """Measures one claim after the other."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = perf_counter) -> None:
        self._seconds = metrics.histogram("heliograph_claim_seconds")
        self._ticks = metrics.histogram("heliograph_claim_ticks")
        self._waited = metrics.histogram("heliograph_stage_seconds").labels("claimed")
        self._clock = clock
        self._since = clock()

    def begin(self) -> None:
        """Begin with another claim."""
        self._since = self._clock()

    def passed(self, part: str) -> None:
        """Note that a part of it is over, and that the next begins."""
        now = self._clock()
        self._seconds.labels(part).observe(now - self._since)
        self._since = now

    def claimed(self, batches: Sequence[Batch], claimed_at: int) -> None:
        """Note how long batches waited, whose times are PostgreSQL's."""
        for batch in batches:
            self._waited.observe(max(0, claimed_at - batch.stored_at) / SECOND)

    def folded(self, ticks: int) -> None:
        """Note how much it was."""
        self._ticks.observe(ticks)
