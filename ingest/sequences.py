"""A book whose updates are numbered and whose snapshot comes by another road. No I/O."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from ingest.books import Cause, Level, OrderBook, State, Top
from ingest.rooms import Room
from market.depths import LEVELS

_UPDATE_BYTES: Final = 400
_LEVEL_BYTES: Final = 112
"""A pair of doubles, and its place in a list."""


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

    @property
    def weight(self) -> int:
        """Return the bytes that it holds, as measured: with its levels, several times its message."""
        return _UPDATE_BYTES + len(self.frame) + _LEVEL_BYTES * (len(self.bids) + len(self.asks))


class Progress(msgspec.Struct):
    """What became of the updates handed to a book, now or earlier; of each it is told once.

    ``cause`` says why a book that was valid is valid no more.
    """

    applied: list[tuple[Update, Top]] = []
    repeated: int = 0
    rejected: int = 0
    cause: Cause | None = None
    snapshot_wanted: bool = False


PENDING: Final = 10_000
PENDING_BYTES: Final = 8 * 2**20
"""Updates, and bytes that they hold, kept for a snapshot on its way; beyond, the oldest are dropped."""


class SequencedBook:
    """Updates wait for the snapshot and continue it.

    A number that is missing and a crossed book make it wait for a fresh snapshot, to which what came
    since is applied. A snapshot with ``limit`` levels a side is not the whole book: once the top reaches
    beyond it, levels that are not known may stand there. Then the levels above are told alone, and a fresh
    snapshot is asked for. Without any, the book is not valid; it is kept up meanwhile, as it is right
    again when the top comes back.
    """

    def __init__(self, limit: int | None = None, pending: int = PENDING, room: Room | None = None) -> None:
        self._limit = limit
        self._bound = pending
        self._room = room or Room()
        self._book = OrderBook()
        self._lowest_bid: float | None = None
        self._highest_ask: float | None = None
        self._at: int | None = None
        self._told = -1
        self._joined = False
        self._asked = False
        self._broken = False
        self._pending: deque[Update] = deque()
        self._bytes = 0
        self.state = State.INVALID

    def update(self, update: Update) -> Progress:
        """Apply an update, or keep it until the snapshot comes."""
        progress = Progress()
        if update.final <= (self._told if self._at is None else self._at):
            progress.repeated = 1
        elif self._at is None:
            self._keep(update, progress)
            self.state = State.SNAPSHOT
            self._ask(progress)
        else:
            self._take(update, progress)
        return progress

    def invalidate(self, cause: Cause) -> Progress:
        """Give the book up until a fresh snapshot comes."""
        progress = Progress()
        self._break(cause, progress)
        return progress

    def snapshot(self, at: int, bids: Sequence[Level], asks: Sequence[Level]) -> Progress:
        """Begin from the book as it was after update ``at``, and apply what came since."""
        progress = Progress()
        self._drop_covered(at, progress)
        known = self._pending[0].previous if self._pending else max(self._told, self._at or 0)
        if known <= at:
            self._begin(at, bids, asks, progress)
        elif self.state is State.VALID:
            self._asked = False
            self._forget()
        else:
            progress.snapshot_wanted = True
        return progress

    def close(self) -> Progress:
        """Reject what still waits."""
        self._at = None
        self.state = State.INVALID
        return Progress(rejected=self._forget())

    def _begin(self, at: int, bids: Sequence[Level], asks: Sequence[Level], progress: Progress) -> None:
        self._book.replace(bids, asks)
        self._at, self._joined, self._asked, self._broken = at, False, False, False
        limit = self._limit
        self._lowest_bid = min(bids)[0] if len(bids) == limit else None
        self._highest_ask = max(asks)[0] if len(asks) == limit else None
        if self._book.top().crossed:
            self._break(Cause.CROSSED, progress, forget=False)
            return
        self.state = State.VALID
        self._catch_up(progress)

    def _catch_up(self, progress: Progress) -> None:
        waiting, told = self._pending.copy(), self._told
        self._forget()
        for update in waiting:
            if self._at is not None and update.final > self._at:
                self._take(update, progress)
            elif update.final > max(self._told, self._at or 0):
                self._keep(update, progress)
            else:
                progress.repeated += update.final > told

    def _take(self, update: Update, progress: Progress) -> None:
        """Apply what follows; what does not is kept, as a fresh snapshot may come before it."""
        if not self._continues(update):
            self._break(Cause.SEQUENCE, progress)
            self._keep(update, progress)
            return
        self._book.update(update.bids, update.asks)
        top = self._book.top()
        if top.crossed:
            self._break(Cause.CROSSED, progress)
            self._keep(update, progress)
            return
        self._at, self._joined = update.final, True
        self._tell(update, top, progress)
        if self._asked:
            self._keep(update, progress)

    def _continues(self, update: Update) -> bool:
        if update.strict and self._joined:
            return update.previous == self._at
        return self._at is not None and update.previous <= self._at

    def _tell(self, update: Update, top: Top, progress: Progress) -> None:
        known = self._known(top)
        exhausted = not (known.bid_prices or self._lowest_bid is None) or not (
            known.ask_prices or self._highest_ask is None
        )
        self._become(State.SNAPSHOT if exhausted else State.VALID, Cause.EXHAUSTED, progress)
        if self._lacks(known):
            self._ask(progress)
        if update.final <= self._told:
            return
        self._told = update.final
        if exhausted:
            progress.rejected += 1
        else:
            progress.applied.append((update, known))

    def _known(self, top: Top) -> Top:
        """Return the levels above the first that the snapshot did not know."""
        low, high = self._lowest_bid, self._highest_ask
        bids, asks = top.bid_prices, top.ask_prices
        bid_levels = len(bids) if low is None else sum(price >= low for price in bids)
        ask_levels = len(asks) if high is None else sum(price <= high for price in asks)
        if bid_levels == len(bids) and ask_levels == len(asks):
            return top
        return Top(
            bids[:bid_levels], top.bid_sizes[:bid_levels], asks[:ask_levels], top.ask_sizes[:ask_levels]
        )

    def _lacks(self, known: Top) -> bool:
        """Tell whether a level that the snapshot did not know may belong into the top."""
        return (self._lowest_bid is not None and len(known.bid_prices) < LEVELS) or (
            self._highest_ask is not None and len(known.ask_prices) < LEVELS
        )

    def _break(self, cause: Cause, progress: Progress, *, forget: bool = True) -> None:
        if forget:
            progress.rejected += self._forget()
        self._become(State.SNAPSHOT, cause, progress)
        self._at = None
        self._broken = True
        self._asked = False
        self._ask(progress)

    def _become(self, state: State, cause: Cause, progress: Progress) -> None:
        if self.state is State.VALID and state is not State.VALID:
            progress.cause = cause
        self.state = state

    def _ask(self, progress: Progress) -> None:
        if not self._asked:
            self._asked = True
            progress.snapshot_wanted = True

    def _keep(self, update: Update, progress: Progress) -> None:
        self._pending.append(update)
        self._weigh(update.weight)
        while self._pending and self._overfull:
            progress.rejected += self._drop_oldest().final > self._told

    def _drop_covered(self, at: int, progress: Progress) -> None:
        while self._pending and self._pending[0].final <= at:
            untold = self._drop_oldest().final > self._told
            if self._broken:
                progress.rejected += untold
            else:
                progress.repeated += untold

    def _drop_oldest(self) -> Update:
        update = self._pending.popleft()
        self._weigh(-update.weight)
        return update

    @property
    def _overfull(self) -> bool:
        return len(self._pending) > self._bound or self._bytes > PENDING_BYTES or self._room.overfull

    def _weigh(self, weight: int) -> None:
        self._bytes += weight
        self._room.held += weight

    def _forget(self) -> int:
        """Keep nothing any more; return of how many updates nothing was told."""
        untold = sum(update.final > self._told for update in self._pending)
        self._pending.clear()
        self._weigh(-self._bytes)
        return untold
