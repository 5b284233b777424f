"""What every tick must pass before it is stored: an exact price, a plausible time."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from math import isfinite
from typing import Final, Self

from ingest.books import Level, Top
from ingest.venues.venue import Reason
from market.depths import Depth
from market.errors import RefusedTickError
from market.times import SECOND, floor, from_iso, is_plausible
from market.watermarks import Watermark

_DECIMAL: Final = re.compile(r"-?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
"""What venues write; Python would take more, such as ``1_0``."""

_ALWAYS_EXACT: Final = 15
"""A double gives back every decimal of up to this many digits."""

_AHEAD: Final = 2 * SECOND
"""How far ahead of our clock a venue's time may be."""

_FASTER: Final = 100
"""How much faster than our clock it may go, further ahead: that of a made-up market may."""

_HASH_BITS: Final = 48
_ORDINALS: Final = 2**15


class Inexact(float):
    """A double that does not give back ``text``, the decimal that it was read from."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Return the double nearest to ``text``."""
        value = super().__new__(cls, text)
        value.text = text
        return value


def double(text: str) -> float:
    """Return the double that gives back the decimal ``text``; raises RefusedTickError."""
    value = nearest_double(text)
    if type(value) is Inexact:
        raise RefusedTickError(Reason.NOT_A_DOUBLE)
    return value


def positive(text: str) -> float:
    """Return ``double`` of a trade's price or size, which is above zero; raises RefusedTickError."""
    value = double(text)
    if value <= 0:
        raise RefusedTickError(Reason.NOT_POSITIVE)
    return value


def nearest_double(text: str) -> float:
    """Return the double nearest to ``text``, marked when it is inexact; raises RefusedTickError.

    A book needs all its levels, also those that cannot be stored exactly.
    """
    if not _DECIMAL.fullmatch(text):
        raise RefusedTickError(Reason.NOT_A_NUMBER)
    value = float(text)
    if not isfinite(value):
        raise RefusedTickError(Reason.NOT_A_DOUBLE)
    if len(text) <= _ALWAYS_EXACT or Decimal(repr(value)) == Decimal(text):
        return value
    return Inexact(text)


def book_levels(texts: Iterable[tuple[str, str]]) -> list[Level]:
    """Return prices and sizes as ``nearest_double`` does, quickly where all are short."""
    try:
        levels = [
            (float(price), float(size))
            if len(price) <= _ALWAYS_EXACT and len(size) <= _ALWAYS_EXACT
            else (nearest_double(price), nearest_double(size))
            for price, size in texts
        ]
    except ValueError:
        raise RefusedTickError(Reason.NOT_A_NUMBER) from None
    if not isfinite(sum(map(sum, levels))):
        raise RefusedTickError(Reason.NOT_A_DOUBLE)
    return levels


def depth(instrument_id: int, ts: int, update_id: int, top: Top, received_at: int) -> Depth:
    """Return the top of a book as a tick; raises RefusedTickError when a value in it is inexact."""
    if any(Inexact in map(type, side) for side in top):
        raise RefusedTickError(Reason.NOT_A_DOUBLE)
    return Depth(instrument_id, ts, update_id, *top, received_at)


def id_of(instruments: Mapping[str, int], venue_symbol: str) -> int:
    """Return the id of an instrument; raises RefusedTickError for one that was not asked for."""
    instrument_id = instruments.get(venue_symbol)
    if instrument_id is None:
        raise RefusedTickError(Reason.UNKNOWN_INSTRUMENT)
    return instrument_id


class UpdateIds:
    """Ids for quotes and updates of a book that their venue does not number.

    Those that are sent again, in the same order, get the same ids; others get others; at one ``ts``
    ids grow in the order of arrival.
    """

    def __init__(self) -> None:
        self._ts = 0
        self._ordinal = 0

    def next(self, ts: int, content: bytes) -> int:
        """Return 15 bits of place among updates of one ``ts``, then 48 bits of the content's hash."""
        self._ordinal = self._ordinal + 1 if ts == self._ts else 0
        self._ts = ts
        digest = blake2b(content, digest_size=_HASH_BITS // 8).digest()
        return (self._ordinal % _ORDINALS << _HASH_BITS) | int.from_bytes(digest, "big")


class VenueClock:
    """The newest venue time seen on one connection, and which of its instruments trade."""

    def __init__(self, instrument_ids: Iterable[int] = ()) -> None:
        self._traded = dict.fromkeys(instrument_ids, 0)
        self._newest = self._moved_at = 0
        self._told = 0

    def saw(self, ts: int, received_at: int) -> int:
        """Return ``ts``, and remember it if it is believed; raises RefusedTickError where it cannot be.

        One wrong time must not date what inherits it, nor end the bars of all others, up to a day ahead.
        """
        if not is_plausible(ts, received_at):
            raise RefusedTickError(Reason.IMPLAUSIBLE_TIME)
        if ts > self._newest and (not self._newest or ts <= self._latest(received_at)):
            self._newest, self._moved_at = ts, received_at
        return ts

    def saw_text(self, text: str | None, received_at: int) -> int:
        """Return and remember the time in ISO 8601, or return the newest seen where none is told."""
        if text is None:
            return self.inherited()
        try:
            ts = from_iso(text)
        except ValueError:
            raise RefusedTickError(Reason.IMPLAUSIBLE_TIME) from None
        return self.saw(ts, received_at)

    def _latest(self, received_at: int) -> int:
        """Return the latest time that is believed of what came at ``received_at``."""
        self._moved_at = min(self._moved_at, received_at)  # our clock may be set back
        return _AHEAD + max(received_at, self._newest + _FASTER * (received_at - self._moved_at))

    def learn(self, instrument_id: int) -> None:
        """Make watermarks of one more instrument."""
        self._traded.setdefault(instrument_id, 0)

    def forget(self, instrument_id: int) -> None:
        """Make no watermarks of it any more."""
        self._traded.pop(instrument_id, None)

    def traded(self, instrument_id: int, ts: int) -> None:
        """Remember that an instrument traded: it needs no watermark for that time."""
        if ts > self._traded.get(instrument_id, ts):
            self._traded[instrument_id] = ts

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
