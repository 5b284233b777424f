"""An order book, built from snapshots and updates. No I/O."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from market.depths import LEVELS

Level = tuple[float, float]
"""A price and the size that stands at it; size 0 removes the price."""


class State(StrEnum):
    """How a book stands: not asked for, waiting for a snapshot to begin from, or right."""

    INVALID = "invalid"
    SNAPSHOT = "snapshot"
    VALID = "valid"


class Cause(StrEnum):
    """What showed that a book is wrong."""

    SEQUENCE = "sequence"
    CHECKSUM = "checksum"
    CROSSED = "crossed"
    EXHAUSTED = "exhausted"
    TIME = "time"
    UNREADABLE = "unreadable"
    CLOSED = "closed"


class Top(NamedTuple):
    """The best levels, best first."""

    bid_prices: tuple[float, ...]
    bid_sizes: tuple[float, ...]
    ask_prices: tuple[float, ...]
    ask_sizes: tuple[float, ...]

    @property
    def crossed(self) -> bool:
        """Tell whether somebody bids what somebody else asks, which no exchange leaves standing."""
        return bool(self.bid_prices and self.ask_prices) and self.bid_prices[0] >= self.ask_prices[0]


class _Side:
    """One side of a book: prices in ascending order, sizes beside them."""

    def __init__(self, *, best_is_highest: bool, depth: int | None) -> None:
        self._best_is_highest = best_is_highest
        self._depth = depth
        self._prices: list[float] = []
        self._sizes: dict[float, float] = {}

    def replace(self, levels: Iterable[Level]) -> None:
        self._sizes = {price: size for price, size in levels if size}
        self._prices = sorted(self._sizes)
        self._truncate()

    def update(self, levels: Iterable[Level]) -> None:
        prices, sizes = self._prices, self._sizes
        for price, size in levels:
            if size:
                if price not in sizes:
                    insort(prices, price)
                sizes[price] = size
            elif sizes.pop(price, None) is not None:
                del prices[bisect_left(prices, price)]
        self._truncate()

    def best(self, levels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        prices = self._prices[: -levels - 1 : -1] if self._best_is_highest else self._prices[:levels]
        sizes = self._sizes
        return tuple(prices), tuple([sizes[price] for price in prices])

    def _truncate(self) -> None:
        beyond = len(self._prices) - self._depth if self._depth else 0
        if beyond > 0:
            worst = slice(None, beyond) if self._best_is_highest else slice(-beyond, None)
            for price in self._prices[worst]:
                del self._sizes[price]
            del self._prices[worst]


class OrderBook:
    """All levels of one instrument; with ``depth``, only that many a side, as some venues keep it."""

    def __init__(self, depth: int | None = None) -> None:
        self._bids = _Side(best_is_highest=True, depth=depth)
        self._asks = _Side(best_is_highest=False, depth=depth)

    def replace(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Begin again from a snapshot."""
        self._bids.replace(bids)
        self._asks.replace(asks)

    def update(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Set the levels named, in their order."""
        self._bids.update(bids)
        self._asks.update(asks)

    def top(self, levels: int = LEVELS) -> Top:
        """Return the best levels of both sides."""
        return Top(*self._bids.best(levels), *self._asks.best(levels))
