"""The recent past of a new feed: a stretch that no gap bounds. Pure."""

from typing import Final

import msgspec

from db.chunks import Chunk
from db.holes import Stored
from market.times import SECOND

ASKED: Final = "asked"
ASKED_LATE: Final = "asked late"
"""Cursors of a past that the venue has answered, and that waits for the first trade after it."""

_LATE: Final = 60 * SECOND
"""An answer that comes so long after the past's end is taken for complete: no cache is older."""

_LOOK_SECONDS: Final = 2.0
_LOOK_LATE_SECONDS: Final = 30.0


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """[from_ts, to_ts), microseconds. The trade that is stored first after it shows whether its last are."""

    instrument_id: int
    from_ts: int
    to_ts: int
    next_trade: Stored | None
    after_id: None = None

    @property
    def before_id(self) -> int | None:
        """Return the id up to which nothing may be missing."""
        return self.next_trade.trade_id if self.next_trade else None

    @property
    def end_ts(self) -> int:
        """Return the time up to which trades are looked at."""
        return self.next_trade.ts if self.next_trade else self.to_ts

    def is_late(self, now: int) -> bool:
        """Tell whether what the venue answers now is complete."""
        return now >= self.to_ts + _LATE

    def waits(self, chunk: Chunk, now: int) -> bool:
        """Tell whether there is nothing to do before a trade comes, or time has passed."""
        answered = chunk.cursor == ASKED_LATE or (chunk.cursor == ASKED and not self.is_late(now))
        return answered and self.next_trade is None

    def look_after_seconds(self, now: int) -> float:
        """Return how long to wait before looking for a trade again."""
        return _LOOK_LATE_SECONDS if self.is_late(now) else _LOOK_SECONDS


def begun(chunk: Chunk, to_ts: int) -> Chunk:
    """Return the chunk as it is asked for up to ``to_ts``.

    From its beginning on where it has waited, or ended elsewhere before: pages that go downwards would
    leave out what is new, which nobody was asked for yet.
    """
    if chunk.to_ts != to_ts:
        return msgspec.structs.replace(chunk, to_ts=to_ts, cursor="", rounds=0)
    return msgspec.structs.replace(chunk, cursor="") if chunk.cursor in (ASKED, ASKED_LATE) else chunk
