"""What a made-up market does, in whole ticks of price and lots of size: a venue says it in its own way."""

from collections import deque
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from sim.ladders import Changes, Ladder
from sim.ledger import MICROSECOND
from sim.walks import Walk

SIZE_DECIMALS = 5
_LOTS: int = 10**SIZE_DECIMALS
"""The smallest sizes in one unit."""

_LEVEL_VALUE = 20_000.0
"""About what a level of the book is worth, in the quote asset."""

_TRADE_VALUE = 1_000.0
_BURST_SIZE = 4.0
"""How much larger trades are in a burst."""

_FILLS = {1: 600, 2: 300, 3: 200, 4: 100, 12: 10, 60: 2}
"""How often an order has so many fills, all at one time; the largest sweep several prices."""

_FILLS_A_PRICE = 4
_SHARE_OF_ORDERS = 0.45

FILLS_AN_EVENT = _SHARE_OF_ORDERS * sum(n * often for n, often in _FILLS.items()) / sum(_FILLS.values())
"""Of the average event, which a quote follows."""

_REMEMBERED_FILLS = 50


class Listing(NamedTuple):
    """What a market is called, and how fine its prices are."""

    symbol: str
    price_decimals: int


class Execution(NamedTuple):
    """One fill, ``sold`` by its taker; ``ns`` is nanoseconds since 1970."""

    trade_id: int
    ns: int
    ticks: int
    lots: int
    sold: bool


class Best(NamedTuple):
    """The best bid and its size, the size of the ask a tick above, and the number of this update."""

    update_id: int
    ns: int
    bid: int
    bid_lots: int
    ask_lots: int

    @property
    def ask(self) -> int:
        """Return the best ask."""
        return self.bid + 1


class BookUpdate(NamedTuple):
    """What changed in the book since the last update; its numbers, both inclusive, leave no hole."""

    first_id: int
    last_id: int
    ns: int
    changes: Changes


class MadeUpMarket:
    """One symbol at one venue. ``at`` is seconds since the start of the walk that its price follows."""

    def __init__(self, random: Random, listing: Listing, walk: Walk, opened_at: int, levels: int) -> None:
        """Open the book with so many levels a side; ids go on from the microsecond of the opening."""
        self.listing = listing
        self._random = random
        self._walk = walk
        self._ticks: int = 10**listing.price_decimals
        self._trade_id = self._update_id = self.book_id = opened_at
        self._bid = self._best_bid
        self.ladder = Ladder(random, self._bid, round(_LEVEL_VALUE / walk.price * _LOTS), levels)
        self.recent: deque[Execution] = deque(maxlen=_REMEMBERED_FILLS)
        self.ns = opened_at * MICROSECOND
        """When anything happened last."""

    def move(self, at: float, ns: int) -> None:
        """Let the price go on."""
        self._walk.advance(at)
        self._bid = self._best_bid
        self.ns = ns

    def order(self) -> list[Execution]:
        """Return the fills of an order, or none."""
        if self._random.random() >= _SHARE_OF_ORDERS:
            return []
        sold = self._random.random() > 0.5 + 0.4 * self._walk.lean
        price, step = (self._bid, -1) if sold else (self._bid + 1, 1)
        (count,) = self._random.choices(list(_FILLS), list(_FILLS.values()))
        at_one_price = 1 if count <= _FILLS_A_PRICE else _FILLS_A_PRICE
        return [self._fill(price + step * (n // at_one_price), sold=sold) for n in range(count)]

    def tell(self, executions: Iterable[Execution]) -> None:
        """Count executions among those that were told."""
        self.recent.extend(executions)

    def best(self) -> Best:
        """Return the quote."""
        self._update_id += 1
        lean = self._walk.lean
        return Best(self._update_id, self.ns, self._bid, self.ladder.size(lean), self.ladder.size(-lean))

    def book(self) -> BookUpdate:
        """Move the published book to where the price is."""
        changes = self.ladder.move(self._bid, self._walk.lean)
        first, self._update_id = self.book_id + 1, self._update_id + max(changes.total, 1)
        self.book_id = self._update_id
        return BookUpdate(first, self.book_id, self.ns, changes)

    @property
    def _best_bid(self) -> int:
        return round(self._walk.price * self._ticks)

    def _fill(self, ticks: int, *, sold: bool) -> Execution:
        self._trade_id += 1
        value = _TRADE_VALUE * self._random.lognormvariate(0.0, 0.8)
        burst = _BURST_SIZE if self._walk.lean else 1.0
        lots = max(1, round(value * burst / self._walk.price * _LOTS))
        return Execution(self._trade_id, self.ns, ticks, lots, sold)
