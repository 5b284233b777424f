"""RSI: how much of the recent movement was upwards (Wilder 1978)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from market.bars import Bar
from workers.kinds.closes import Closes, ClosesKind, density
from workers.kinds.edges import Thresholds
from workers.kinds.reading import Reading

RECURSION = 8
"""Periods of closes that an index is computed from: what lies before would weigh less than 1e-3."""

MIDDLE = 50.0


class Rsi(ClosesKind, frozen=True):
    """Up while oversold, down while overbought: where the price is expected to turn to."""

    period: int = 14
    oversold: float = 30.0
    leave_oversold: float = 40.0
    leave_overbought: float = 60.0
    overbought: float = 70.0

    kind: ClassVar[str] = "rsi"
    version: ClassVar[int] = 2

    @property
    def lookback(self) -> int:
        """Return of how many closes it measures something."""
        return RECURSION * self.period

    @property
    def thresholds(self) -> Thresholds:
        """Return the thresholds of the negated index: a low index is up."""
        return Thresholds(-self.oversold, -self.leave_oversold, -self.leave_overbought, -self.overbought)

    def read(self, closes: Closes, bar: Bar) -> Reading:
        """Measure the index at the close of ``bar``."""
        gain, loss = average_moves(closes.closes, self.period)
        index = relative_strength_index(gain, loss)
        return Reading(
            value=-index,
            strength=(MIDDLE - index) / MIDDLE,
            confidence=density(len(closes.closes), closes.starts[0], bar.end),
            price=bar.close,
            evidence={"rsi": index, "average_gain": gain, "average_loss": loss},
            from_ts=closes.starts[0],
            to_ts=bar.end,
        )


def average_moves(closes: Sequence[float], period: int) -> tuple[float, float]:
    """Return Wilder's averages of rises and of falls: the mean of the first ``period``, then smoothed."""
    gain = loss = 0.0
    kept = period - 1
    moves = [close - before for before, close in pairwise(closes)]
    for move in moves[:period]:
        if move > 0:
            gain += move / period
        else:
            loss -= move / period
    for move in moves[period:]:
        if move > 0:
            gain = (gain * kept + move) / period
            loss = loss * kept / period
        else:
            gain = gain * kept / period
            loss = (loss * kept - move) / period
    return gain, loss


def relative_strength_index(gain: float, loss: float) -> float:
    """Return the index in [0, 100]; prices that did not move at all are in the middle."""
    return 100.0 * gain / (gain + loss) if gain + loss else MIDDLE
