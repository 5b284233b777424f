"""Why a signal was told: what it was made of, and the same decision made again."""

import msgspec

from market.bars import Bar
from market.depths import Depth
from market.signals import Direction, Signal
from market.trades import Trade


class Measured(msgspec.Struct, frozen=True):
    """What a kind made of one bar or depth on its way to the decision.

    ``value`` is what the thresholds were held against, None where there was not enough to measure;
    ``phase`` is the condition after it, None of kinds without edges; ``told`` is the edge, if it was told.
    """

    ts: int
    value: float | None
    strength: float | None
    confidence: float | None
    evidence: dict[str, float]
    phase: str | None
    told: Direction | None


class Explanation(msgspec.Struct, frozen=True):
    """The ticks and bars of a signal's input, each step to it, and what the stored ticks decide today.

    ``ticks`` and ``measured`` are the newest of them, oldest first. ``recomputed`` is None when nothing would
    be told; ``reason`` says why nothing could be computed again, and is empty otherwise.
    """

    ticks: list[Trade | Depth]
    ticks_total: int
    bars: list[Bar]
    measured: list[Measured]
    measured_total: int
    recomputed: Signal | None
    reason: str = ""

    def equals(self, stored: Signal) -> bool | None:
        """Tell whether the same was decided again; None when it could not be computed."""
        if self.reason:
            return None
        return self.recomputed == stored
