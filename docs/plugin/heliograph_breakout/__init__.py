"""Breakout: the close leaves the range in which the closes before it lay (Donchian)."""

from typing import ClassVar

from market.bars import Bar
from workers.kinds.closes import Closes, ClosesKind, clamped, density
from workers.kinds.edges import Thresholds, symmetric
from workers.kinds.reading import Reading

BASIS_POINTS = 10_000


class Breakout(ClosesKind, frozen=True):
    """Up while the close is above all of the last ``bars`` closes, down while below, in basis points."""

    bars: int = 60
    enter_bps: float = 1.0
    leave_bps: float = 0.0
    full_bps: float = 10.0

    kind: ClassVar[str] = "breakout"
    version: ClassVar[int] = 1

    @property
    def lookback(self) -> int:
        """Return of how many closes it measures something: those of the range, and the newest."""
        return self.bars + 1

    @property
    def thresholds(self) -> Thresholds:
        """Return the same thresholds for up and for down."""
        return symmetric(self.enter_bps, self.leave_bps)

    def read(self, closes: Closes, bar: Bar) -> Reading:
        """Measure how far the close of ``bar`` lies outside the range; inside it is 0."""
        high, low = max(closes.closes[:-1]), min(closes.closes[:-1])
        outside = max(bar.close - high, 0.0) + min(bar.close - low, 0.0)
        breakout = outside / bar.close * BASIS_POINTS
        return Reading(
            value=breakout,
            strength=clamped(breakout / self.full_bps),
            confidence=density(len(closes.closes), closes.starts[0], bar.end),
            price=bar.close,
            evidence={"high": high, "low": low, "breakout_bps": breakout},
            from_ts=closes.starts[0],
            to_ts=bar.end,
        )
