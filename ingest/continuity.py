"""Whether a connection brought everything: what its frames prove, and where something is missing. No I/O.

It lives as long as its feed, over all reconnects, and sees every frame in the order of arrival.
What it finds goes into the same transaction as the frame's ticks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final

from ingest.findings import Findings, Notes
from ingest.streams import BookStream, Place, TradeStream
from ingest.venues.venue import Decoded
from market.depths import Depth
from market.gaps import Cause
from market.quotes import Quote
from market.times import SECOND
from market.trades import Trade
from market.watermarks import Watermark

_STEADY_WITHIN: Final = SECOND // 4
"""How much further than our clock venue time may go from one frame to the next."""

_STEADY_FRAMES: Final = 3
"""In a row, until the time that they tell is taken for the venue's present."""


_Timed = Trade | Quote | Depth | Watermark
_ts = attrgetter("ts")


class Continuity:
    """The streams of one feed.

    A session is proven up to its newest venue time, a second at a time, once every subscription was
    answered and venue time goes steadily: what a venue replays at subscribe may be hours old.
    """

    def __init__(
        self, instrument_ids: Collection[int], places: Mapping[int, Place], *, contiguous: bool
    ) -> None:
        self._notes = Notes()
        nowhere = Place()
        at = {each: places.get(each, nowhere) for each in instrument_ids}
        self._trades = {
            each: TradeStream(each, place, self._notes, contiguous=contiguous) for each, place in at.items()
        }
        self._books = {each: BookStream(each, place, self._notes) for each, place in at.items()}
        self._listening = False
        self._begun = False
        self._steady = 0
        self._refused: frozenset[int] = frozenset()
        self._newest = 0
        self._received_at = 0

    def opened(self, refused: Collection[int] = ()) -> None:
        """Note that every subscription was answered; those of ``refused`` instruments are not proven."""
        self._listening = True
        self._refused = frozenset(refused)

    def lost(self) -> None:
        """Note that the connection has ended."""
        self._listening = self._begun = False
        self._newest = self._steady = 0
        for trades in self._trades.values():
            trades.lose()
        for book in self._books.values():
            book.end(Cause.RECONNECT)

    def take(self, decoded: Decoded) -> Findings:
        """Take what a frame said; return what it shows."""
        for trade in decoded.trades:
            self._trades[trade.instrument_id].take(trade)
        for depth in decoded.depths:
            self._books[depth.instrument_id].take(depth.ts)
        for instrument_id in decoded.broken:
            self._books[instrument_id].end(Cause.BOOK)
        newest = _newest(decoded)
        if newest is not None and newest.ts > self._newest:
            self._advance(newest.ts, newest.received_at)
        return self._notes.take()

    def was_quiet(self, instrument_id: int, after_id: int) -> None:
        """Learn that a stream that seemed mute had nothing to say since the trade ``after_id``."""
        self._trades[instrument_id].was_quiet(after_id, self._newest)

    def _advance(self, ts: int, received_at: int) -> None:
        before, self._newest = self._newest, ts
        passed, self._received_at = received_at - self._received_at, received_at
        if self._begun:
            if ts // SECOND > before // SECOND:
                self._prove(ts)
        elif self._listening:
            steady = before > 0 and ts - before <= passed + _STEADY_WITHIN
            self._steady = self._steady + 1 if steady else 0
            self._find_time(ts)

    def _find_time(self, ts: int) -> None:
        """Show the gap since the last session, at once, and begin this one when its time is sure."""
        self._begun = self._steady >= _STEADY_FRAMES
        for trades in self._subscribed():
            if self._begun:
                trades.begin(ts)
            else:
                trades.reopen(ts)

    def _prove(self, ts: int) -> None:
        for trades in self._subscribed():
            trades.listen(ts)
            trades.prove(ts)
        for book in self._books.values():
            book.prove(ts)

    def _subscribed(self) -> Sequence[TradeStream]:
        return [stream for each, stream in self._trades.items() if each not in self._refused]


def _newest(decoded: Decoded) -> _Timed | None:
    ticks: Iterable[_Timed] = chain(decoded.trades, decoded.quotes, decoded.depths, decoded.watermarks)
    return max(ticks, key=_ts, default=None)
