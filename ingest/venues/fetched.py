"""What venues share whose books are numbered updates on a snapshot that is fetched. No I/O."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

import msgspec

from ingest.books import Cause, Level, State, Top
from ingest.sequences import Progress, SequencedBook, Update
from ingest.standings import Books
from ingest.venues.decoding import VenueDecoder
from ingest.venues.venue import DEPTHS, NOTHING, Decoded, Reason, Rejection, merged, rejected
from market.errors import RefusedTickError


class FetchedDecoder(VenueDecoder):
    """The part of a decoder that keeps the books, and tells what became of their updates."""

    snapshot_levels: ClassVar[int]
    """How many levels a side a snapshot has at most."""

    def __init__(self, instruments: Mapping[str, int], books: Books | None = None) -> None:
        super().__init__(instruments, books)
        self._books: defaultdict[str, SequencedBook] = defaultdict(
            partial(SequencedBook, self.snapshot_levels, room=self._standings.room)
        )

    def forget(self, venue_symbol: str) -> Decoded:
        """Keep its book no more, and reject the updates that no snapshot will come for."""
        super().forget(venue_symbol)
        book = self._books.pop(venue_symbol, None)
        return Decoded(rejections=_invalid(book.close().rejected)) if book else NOTHING

    def close(self) -> Decoded:
        """Give the books up, and reject the updates that no snapshot came for."""
        waiting = sum(book.close().rejected for book in self._books.values())
        return msgspec.structs.replace(super().close(), rejections=_invalid(waiting))

    def _begun(
        self, symbol: str, at: int, bids: Sequence[Level], asks: Sequence[Level], received_at: int
    ) -> Decoded:
        """Begin the book that was fetched, unless it is kept no more."""
        if not self._keeps(symbol):
            return NOTHING
        return self._progressed(symbol, self._books[symbol].snapshot(at, bids, asks), received_at)

    def _updated(self, symbol: str, update: Update) -> Decoded:
        """Apply an update; one of a book that is kept no more is somebody else's to write."""
        if not self._keeps(symbol):
            return Decoded(conflated={DEPTHS: 1})
        return self._progressed(symbol, self._books[symbol].update(update), update.received_at)

    def _unreadable(self, symbol: str, lost: Sequence[Rejection], received_at: int) -> Decoded:
        """Give the book up that an update was for which cannot be read."""
        if not self._keeps(symbol):
            return Decoded(rejections=lost)
        progress = self._books[symbol].invalidate(Cause.UNREADABLE)
        return self._progressed(symbol, progress, received_at, lost)

    def _keeps(self, symbol: str) -> bool:
        return self._standings.keeps(self._instruments[symbol])

    def _progressed(
        self, symbol: str, progress: Progress, received_at: int, lost: Sequence[Rejection] = ()
    ) -> Decoded:
        """Return what became of updates; of a book that broke by them it is said after them."""
        instrument_id = self._instruments[symbol]
        if progress.applied:
            self._standings.stands(instrument_id, State.VALID, received_at)
        parts = [self._applied(instrument_id, update, top) for update, top in progress.applied]
        self._standings.stands(instrument_id, self._books[symbol].state, received_at, progress.cause)
        if len(parts) == 1 and not (
            lost or progress.repeated or progress.rejected or progress.snapshot_wanted
        ):
            return parts[0]
        rest = Decoded(
            repeated={DEPTHS: progress.repeated} if progress.repeated else {},
            rejections=[*lost, *_invalid(progress.rejected)],
            watermarks=self._clock.watermarks(received_at),
            snapshots_wanted=(symbol,) if progress.snapshot_wanted else (),
        )
        return merged([*parts, rest])

    def _applied(self, instrument_id: int, update: Update, top: Top) -> Decoded:
        try:
            return self._told(instrument_id, update.ts, update.final, top, update.received_at)
        except RefusedTickError as refused:
            return rejected(DEPTHS, refused.reason, update.frame)


def _invalid(updates: int) -> list[Rejection]:
    return [Rejection(DEPTHS, Reason.BOOK_INVALID)] * updates
