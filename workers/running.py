"""A bar while it runs."""

from typing import Final

from market.bars import INTERVALS, Bar
from market.times import floor

SHORTEST_FIRST: Final = tuple(sorted(INTERVALS.values()))
"""The intervals of an instrument's running bars, in the order in which bars close at one instant."""

Running = tuple[Bar | None, ...]
"""The running bar of each interval, shortest first; None before the interval's first trade."""

NONE_RUNNING: Final[Running] = (None,) * len(SHORTEST_FIRST)


class RunningBar:
    """The bar of one interval, mutable for speed; it never leaves the call that made it."""

    __slots__ = (
        "buy_volume",
        "close",
        "end",
        "high",
        "interval",
        "low",
        "open",
        "quote_volume",
        "sell_volume",
        "start",
        "trades",
        "volume",
    )

    def __init__(self, interval: int, bar: Bar | None) -> None:
        """Go on with ``bar``, or wait for a first trade."""
        self.interval = interval
        self.clear()
        if bar is not None:
            self.start, self.end, self.trades = bar.start, bar.end, bar.trades
            self.open, self.high, self.low, self.close = bar.open, bar.high, bar.low, bar.close
            self.volume, self.quote_volume = bar.volume, bar.quote_volume
            self.buy_volume, self.sell_volume = bar.buy_volume, bar.sell_volume

    def clear(self) -> None:
        """Wait for the first trade of another interval."""
        self.start = self.end = self.trades = 0
        self.open = self.high = self.low = self.close = 0.0
        self.volume = self.quote_volume = self.buy_volume = self.sell_volume = 0.0

    def begin(self, ts: int, price: float) -> None:
        """Open the interval that contains ``ts``."""
        self.start = floor(ts, self.interval)
        self.end = self.start + self.interval
        self.open = self.high = self.low = price

    def add(self, ts: int, price: float, size: float, worth: float, side: int) -> None:
        """Take in one trade; ``worth`` is price times size."""
        if not self.trades:
            self.begin(ts, price)
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price
        self.volume += size
        self.quote_volume += worth
        self.trades += 1
        if side > 0:
            self.buy_volume += size
        elif side < 0:
            self.sell_volume += size

    def ended(self, ts: int) -> bool:
        """Tell whether there is a bar, and event time has passed its end."""
        return self.trades > 0 and ts >= self.end

    def current(self) -> Bar | None:
        """Return the bar as it is now, if any."""
        return self.bar() if self.trades else None

    def bar(self) -> Bar:
        """Return the bar as it is now; there has been a trade."""
        return Bar(
            self.interval,
            self.start,
            self.open,
            self.high,
            self.low,
            self.close,
            self.volume,
            self.quote_volume,
            self.buy_volume,
            self.sell_volume,
            self.trades,
        )
