"""Bars while they run."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from market.bars import INTERVALS, Bar
from market.times import floor

SHORTEST_FIRST: Final = tuple(sorted(INTERVALS.values()))
"""The intervals of an instrument's running bars, in the order in which bars close at one instant."""

Running = tuple[Bar | None, ...]
"""The running bar of each interval, shortest first; None before the interval's first trade."""

NONE_RUNNING: Final[Running] = (None,) * len(SHORTEST_FIRST)


def restored(bars: Sequence[Bar]) -> Running:
    """Return running bars as they were stored; an interval that is new begins with those of a shorter one."""
    stored = {bar.interval: bar for bar in bars}
    running: list[Bar | None] = []
    for interval in SHORTEST_FIRST:
        bar, shorter = stored.get(interval), running[-1] if running else None
        running.append(_stretched(shorter, interval) if shorter and not bar else bar)
    return tuple(running)


def _stretched(bar: Bar, interval: int) -> Bar:
    return msgspec.structs.replace(bar, interval=interval, start=floor(bar.start, interval))


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

    start: int
    end: int
    trades: int

    def __init__(self, interval: int, bar: Bar | None) -> None:
        """Go on with ``bar``, or wait for a first trade."""
        if bar is None:
            self.interval = interval
            self.clear()
            return
        (
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
        ) = msgspec.structs.astuple(bar)
        self.end = self.start + interval

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

    def take(self, second: "RunningBar") -> None:
        """Take in what a shorter bar says of prices and trades; its volumes were added trade by trade."""
        self.high = max(self.high, second.high)
        self.low = min(self.low, second.low)
        self.close = second.close
        self.trades += second.trades


class RunningBars:
    """The running bars of all intervals, each the left fold of its trades, for little more than one of them.

    A longer bar adds volumes trade by trade. What does not depend on the order, prices and counts, it
    takes from each second that closes.
    """

    __slots__ = ("_all", "_current", "_longer", "_second")

    def __init__(self, running: Running) -> None:
        """Go on with ``running``, one an interval, shortest first."""
        self._current: Running | None = running
        second, *longer = map(RunningBar, SHORTEST_FIRST, running)
        self._second, self._longer, self._all = second, longer, (second, *longer)
        if second.trades:
            for bar in longer:
                bar.trades -= second.trades

    def add(self, ts: int, price: float, size: float, side: int) -> None:
        """Take in one trade; what ended before it has been closed."""
        second, worth, self._current = self._second, price * size, None
        if not second.trades:
            self._begin(ts, price)
        elif price > second.high:
            second.high = price
        elif price < second.low:
            second.low = price
        second.close = price
        second.trades += 1
        for bar in self._all:
            bar.volume += size
            bar.quote_volume += worth
            if side > 0:
                bar.buy_volume += size
            elif side < 0:
                bar.sell_volume += size

    def _begin(self, ts: int, price: float) -> None:
        for bar in self._all:
            if not bar.end:
                bar.begin(ts, price)

    def closed(self, ts: int) -> Iterator[Bar]:
        """Yield the bars that ended by ``ts``, shortest first; each then waits for another first trade."""
        second, self._current = self._second, None
        if second.ended(ts):
            for bar in self._longer:
                bar.take(second)
            yield second.bar()
            second.clear()
        for bar in self._longer:
            if bar.ended(ts):
                yield bar.bar()
                bar.clear()

    def current(self) -> Running:
        """Return the bars as they are now."""
        if self._current is None:
            second = self._second
            longer = [_with(bar, second) if bar.end else None for bar in self._longer]
            self._current = (second.current(), *longer)
        return self._current


def _with(bar: RunningBar, second: RunningBar) -> Bar:
    """Return a longer bar with the second that runs in it."""
    if not second.trades:
        return bar.bar()
    return Bar(
        bar.interval,
        bar.start,
        bar.open,
        max(bar.high, second.high),
        min(bar.low, second.low),
        second.close,
        bar.volume,
        bar.quote_volume,
        bar.buy_volume,
        bar.sell_volume,
        bar.trades + second.trades,
    )
