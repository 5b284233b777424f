"""A bar: what traded in an interval."""

from typing import Final

import msgspec

from market.times import DAY, HOUR, MINUTE, SECOND

INTERVALS: Final = {"1s": SECOND, "1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR}
"""Name and length in microseconds of every interval that is folded from the tape, and kept."""

SERVED: Final = {**INTERVALS, "1d": DAY}
"""The same of every interval that can be asked for: days are read from hours."""

NAMES: Final = {length: name for name, length in SERVED.items()}


class Bar(msgspec.Struct, frozen=True):
    """OHLCV of [start, start + interval), with volumes as left folds over the tape in its order.

    ``interval`` and ``start`` are microseconds. ``volume`` is in the instrument's unit,
    ``quote_volume`` is the sum of price times size, ``buy_volume`` is the part of ``volume``
    whose taker bought. There is no bar for an interval without trades.
    """

    interval: int
    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    buy_volume: float
    sell_volume: float
    trades: int

    @property
    def end(self) -> int:
        """Return the first instant after the bar."""
        return self.start + self.interval
