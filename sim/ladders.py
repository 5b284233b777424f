"""A made-up order book, in whole ticks of price and whole lots of size."""

from random import Random
from typing import NamedTuple

_KEPT = 0.8
"""The share of sizes that an update leaves alone."""

_TILT = 2.2
"""How much larger the side is that the mood favours, and how much smaller the other."""

Side = dict[int, int]
"""Size in lots by price in ticks."""


class Changes(NamedTuple):
    """Levels that changed: (price, size), size 0 where a level is gone."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]

    @property
    def total(self) -> int:
        """Return how many levels changed."""
        return len(self.bids) + len(self.asks)


class Ladder:
    """Levels a tick apart, the best first, the asks a tick above the bids."""

    def __init__(self, random: Random, best_bid: int, lots: int, levels: int = 15) -> None:
        """Fill the book around ``best_bid`` with so many levels a side; each holds about ``lots``."""
        self._random = random
        self._levels = levels
        self._lots = lots
        self.bids: Side = {}
        self.asks: Side = {}
        self.move(best_bid, 0)

    def move(self, best_bid: int, lean: int) -> Changes:
        """Put the best bid there and let one side outweigh the other; return what changed."""
        bids = self._side(self.bids, range(best_bid, best_bid - self._levels, -1), _TILT**lean)
        asks = self._side(self.asks, range(best_bid + 1, best_bid + 1 + self._levels), _TILT**-lean)
        changes = Changes(_differences(self.bids, bids), _differences(self.asks, asks))
        self.bids, self.asks = bids, asks
        return changes

    def size(self, lean: int) -> int:
        """Draw the size of a level on a side that the mood favours (1), or not (-1)."""
        return max(1, round(self._lots * self._random.uniform(0.5, 1.5) * _TILT**lean))

    def _side(self, before: Side, prices: range, tilt: float) -> Side:
        lean = (tilt > 1) - (tilt < 1)
        return {
            price: before[price] if price in before and self._random.random() < _KEPT else self.size(lean)
            for price in prices
        }


def _differences(before: Side, after: Side) -> list[tuple[int, int]]:
    gone = [(price, 0) for price in before if price not in after]
    return gone + [(price, size) for price, size in after.items() if before.get(price) != size]
