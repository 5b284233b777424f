"""An order book, built from snapshots and updates. No I/O."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from market.depths import LEVELS

Level = tuple[float, float]
"""A price and the size that stands at it; size 0 removes the price."""


class Top(NamedTuple):
    """The best levels, best first."""

    bid_prices: tuple[float, ...]
    bid_sizes: tuple[float, ...]
    ask_prices: tuple[float, ...]
    ask_sizes: tuple[float, ...]


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


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered change of a book.

    It continues the book that stands at ``previous``. A ``strict`` venue says exactly which update
    came before; any other says from which number on, and may overlap with what is known. ``frame`` is
    the message that it came in.
    """

    previous: int
    final: int
    strict: bool
    ts: int
    received_at: int
    frame: bytes
    bids: Sequence[Level]
    asks: Sequence[Level]


class Progress(msgspec.Struct, frozen=True):
    """What became of the updates handed to a sequenced book, now or earlier."""

    applied: Sequence[tuple[Update, Top]] = ()
    repeated: int = 0
    rejected: int = 0
    snapshot_wanted: bool = False


PENDING = 10_000
"""Updates kept while a snapshot is on its way; when there are more, the oldest are rejected."""


class SequencedBook:
    """A book whose updates are numbered and whose snapshot comes by another road.

    Updates wait for the snapshot and continue it. A number that is missing makes the book invalid:
    a fresh snapshot is wanted, and what it does not cover is applied to it.
    """

    def __init__(self, pending: int = PENDING) -> None:
        self._book = OrderBook()
        self._bound = pending
        self._pending: deque[Update] = deque()
        self._at: int | None = None
        self._broken = False
        self._joined = False

    def update(self, update: Update) -> Progress:
        """Apply an update, or keep it until the snapshot comes."""
        if self._at is None:
            return self._keep(update, wanted=not self._pending)
        if update.final <= self._at:
            return Progress(repeated=1)
        if not self._continues(update):
            return self.invalidate(update)
        return Progress(applied=[self._apply(update)])

    def invalidate(self, update: Update | None = None) -> Progress:
        """Give the book up until a fresh snapshot comes; keep the update that showed it broken."""
        self._at = None
        self._broken = True
        return self._keep(update, wanted=True) if update else Progress(snapshot_wanted=True)

    def snapshot(self, at: int, bids: Iterable[Level], asks: Iterable[Level]) -> Progress:
        """Begin from the book as it was after update ``at``, and apply what waited for it."""
        covered = self._drop_covered(at)
        rejected, repeated = (covered, 0) if self._broken else (0, covered)
        self._joined = False
        self._at = at
        if self._pending and not self._continues(self._pending[0]):
            self._at = None
            return Progress(repeated=repeated, rejected=rejected, snapshot_wanted=True)
        self._book.replace(bids, asks)
        self._broken = False
        return self._catch_up(repeated, rejected)

    def close(self) -> Progress:
        """Reject what still waits."""
        waiting = len(self._pending)
        self._pending.clear()
        return Progress(rejected=waiting)

    def _keep(self, update: Update, *, wanted: bool) -> Progress:
        self._pending.append(update)
        rejected = 0
        if len(self._pending) > self._bound:
            self._pending.popleft()
            rejected = 1
        return Progress(rejected=rejected, snapshot_wanted=wanted)

    def _drop_covered(self, at: int) -> int:
        covered = 0
        while self._pending and self._pending[0].final <= at:
            self._pending.popleft()
            covered += 1
        return covered

    def _continues(self, update: Update) -> bool:
        if update.strict and self._joined:
            return update.previous == self._at
        return self._at is not None and update.previous <= self._at

    def _apply(self, update: Update) -> tuple[Update, Top]:
        self._book.update(update.bids, update.asks)
        self._at = update.final
        self._joined = True
        return update, self._book.top()

    def _catch_up(self, repeated: int, rejected: int) -> Progress:
        applied: list[tuple[Update, Top]] = []
        while self._pending and self._at is not None:
            if self._pending[0].final <= self._at:
                self._pending.popleft()
                repeated += 1
            elif self._continues(self._pending[0]):
                applied.append(self._apply(self._pending.popleft()))
            else:
                self.invalidate()
        return Progress(applied, repeated, rejected, snapshot_wanted=self._at is None)
