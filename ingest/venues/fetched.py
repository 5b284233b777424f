"""What venues share whose books are numbered updates on a snapshot that is fetched. No I/O."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

import msgspec

from ingest.books import State, Top
from ingest.sequences import Progress, SequencedBook, Update
from ingest.standings import Books
from ingest.venues.decoding import VenueDecoder
from ingest.venues.venue import DEPTHS, Decoded, Reason, Rejection, merged, rejected
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

    def close(self) -> Decoded:
        """Give the books up, and reject the updates that no snapshot came for."""
        waiting = sum(book.close().rejected for book in self._books.values())
        return msgspec.structs.replace(super().close(), rejections=_invalid(waiting))

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
