"""What every tick must pass before it is stored: an exact price, a plausible time."""

from collections.abc import Iterable
from decimal import Decimal
from math import isfinite
from typing import Final

from ingest.venues.venue import Reason
from market.errors import RefusedTickError
from market.times import SECOND, floor, is_plausible
from market.watermarks import Watermark

_ALWAYS_EXACT: Final = 15
"""A double gives back every decimal of up to this many digits."""


def double(text: str) -> float:
    """Return the double that gives back the decimal ``text``; raises RefusedTickError."""
    try:
        value = float(text)
    except ValueError:
        raise RefusedTickError(Reason.NOT_A_NUMBER) from None
    if len(text) <= _ALWAYS_EXACT and isfinite(value):
        return value
    if not isfinite(value) or Decimal(repr(value)) != Decimal(text):
        raise RefusedTickError(Reason.NOT_A_DOUBLE)
    return value


class VenueClock:
    """The newest venue time seen on one connection, and which of its instruments trade."""

    def __init__(self, instrument_ids: Iterable[int]) -> None:
        self._traded = dict.fromkeys(instrument_ids, 0)
        self._newest = 0
        self._told = 0

    def saw(self, ts: int, received_at: int) -> int:
        """Return ``ts`` and remember it; raises RefusedTickError when no trade can be of that time."""
        if not is_plausible(ts, received_at):
            raise RefusedTickError(Reason.IMPLAUSIBLE_TIME)
        self._newest = max(self._newest, ts)
        return ts

    def traded(self, instrument_id: int, ts: int) -> None:
        """Remember that an instrument traded: it needs no watermark for that time."""
        self._traded[instrument_id] = max(self._traded[instrument_id], ts)

    def inherited(self) -> int:
        """Return the newest time seen; raises RefusedTickError when none was."""
        if not self._newest:
            raise RefusedTickError(Reason.NO_TIME)
        return self._newest

    def watermarks(self, received_at: int) -> list[Watermark]:
        """Return, when another second has begun, the watermarks of the instruments that do not trade.

        They lie a second behind: a venue tells trades later than books.
        """
        if self._newest < self._told + SECOND:
            return []
        first = not self._told
        self._told = floor(self._newest, SECOND)
        passed = self._told - SECOND
        quiet = [] if first else [id_ for id_, traded in self._traded.items() if traded < passed]
        return [Watermark(instrument_id, passed, received_at) for instrument_id in quiet]
