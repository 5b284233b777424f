"""What history did."""

import msgspec

from market.gaps import GapState


class HistoryTally(msgspec.Struct):
    """The totals of one process: offered = stored + duplicates + rejected."""

    pages: int = 0
    offered: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    closed: int = 0
    unrecoverable: int = 0
    pieces: int = 0
    """Of backfills, that came to their end."""
    postponed: int = 0
    yielded_seconds: float = 0.0

    def page(self, trades: int, stored: int, rejected: int) -> None:
        """Count a page that was committed."""
        self.pages += 1
        self.offered += trades + rejected
        self.stored += stored
        self.duplicates += trades - stored
        self.rejected += rejected

    def ended(self, state: GapState) -> None:
        """Count a chunk that came to its end."""
        if state == GapState.CLOSED:
            self.closed += 1
        else:
            self.unrecoverable += 1
