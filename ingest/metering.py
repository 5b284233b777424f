"""How much is committed at once, how long that takes, and how late ticks are until then."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from db.ticks import Ticks
from market.times import SECOND
from runtime.clock import Clock
from runtime.metrics import Metrics


class CommitMeter:
    """Measures commits that succeed; of each, the lag of its last trade, quote, and depth."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._seconds = metrics.histogram("heliograph_commit_seconds")
        self._ticks = metrics.histogram("heliograph_commit_ticks")
        stages = metrics.histogram("heliograph_stage_seconds")
        self._received, self._stored = stages.labels("received"), stages.labels("stored")
        self._clock = clock

    @contextmanager
    def committing(self, ticks: Ticks) -> Iterator[None]:
        """Measure what is committed within the block, unless it fails."""
        began = perf_counter()
        yield
        self._seconds.observe(perf_counter() - began)
        self._ticks.observe(len(ticks.trades) + len(ticks.quotes) + len(ticks.depths))
        now = self._clock()
        for kind in (ticks.trades, ticks.quotes, ticks.depths):
            if kind:
                last = kind[-1]
                self._received.observe(max(0, last.received_at - last.ts) / SECOND)
                self._stored.observe(max(0, now - last.received_at) / SECOND)
