"""Momentum: the fast average of closes crosses the slow one (Appel, MACD)."""

from typing import ClassVar

from market.bars import Bar
from workers.kinds.closes import Closes, ClosesKind, clamped, density, ema
from workers.kinds.edges import Thresholds, symmetric
from workers.kinds.reading import Reading

RECURSION = 8
"""Periods of closes that an average is computed from: what lies before would weigh less than 1e-6."""

BASIS_POINTS = 10_000


class Momentum(ClosesKind, frozen=True):
    """Up while the fast average is well above the slow one, down while well below, in basis points."""

    fast: int = 12
    slow: int = 26
    enter_bps: float = 0.5
    leave_bps: float = 0.0
    full_bps: float = 5.0

    kind: ClassVar[str] = "momentum"
    version: ClassVar[int] = 2

    @property
    def lookback(self) -> int:
        """Return of how many closes it measures something."""
        return RECURSION * self.slow

    @property
    def thresholds(self) -> Thresholds:
        """Return the same thresholds for up and for down."""
        return symmetric(self.enter_bps, self.leave_bps)

    def read(self, closes: Closes, bar: Bar) -> Reading:
        """Measure by how much the averages differ at the close of ``bar``."""
        fast = ema(closes.closes[-RECURSION * self.fast :], self.fast)
        slow = ema(closes.closes, self.slow)
        divergence = (fast - slow) / slow * BASIS_POINTS
        return Reading(
            value=divergence,
            strength=clamped(divergence / self.full_bps),
            confidence=density(len(closes.closes), closes.starts[0], bar.end),
            price=bar.close,
            evidence={"fast": fast, "slow": slow, "divergence_bps": divergence},
            from_ts=closes.starts[0],
            to_ts=bar.end,
        )
