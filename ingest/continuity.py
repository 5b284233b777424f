"""Whether a connection brought everything: what its frames prove, and where something is missing. No I/O.

It lives as long as its feed, over all reconnects, and sees every frame in the order of arrival.
What it finds goes into the same transaction as the frame's ticks.
"""

from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Final

from ingest.depth_streams import BookStream
from ingest.findings import Findings, Notes
from ingest.streams import TradeStream
from ingest.times import Times
from ingest.venues.venue import Decoded
from market.depths import Depth
from market.gaps import Cause, Silent
from market.quotes import Quote
from market.tapes import TapeEnd
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
    """The streams of one feed; instruments join and leave.

    Once its subscriptions are answered and venue time goes steadily, an instrument is proven up to the
    connection's newest venue time, a second at a time: what a venue replays at subscribe may be old.
    """

    def __init__(self, *, contiguous: bool) -> None:
        self._contiguous = contiguous
        self._notes = Notes()
        self._trades: dict[int, TradeStream] = {}
        self._books: dict[int, BookStream] = {}
        self._answered: set[int] = set()
        self._begun: set[int] = set()
        self._times = Times()
        self._steady = 0
        self._newest = 0
        self._received_at = 0

    def join(self, instrument_id: int, end: TapeEnd) -> None:
        """Follow an instrument from where its tape ended, unless it is followed already."""
        if instrument_id not in self._trades:
            notes, contiguous = self._notes, self._contiguous
            self._trades[instrument_id] = TradeStream(instrument_id, end, notes, contiguous=contiguous)
            self._books[instrument_id] = BookStream(instrument_id, end, notes)

    def leave(self, instrument_id: int) -> None:
        """Follow an instrument no more."""
        self._trades.pop(instrument_id, None)
        self._books.pop(instrument_id, None)
        self._answered.discard(instrument_id)
        self._begun.discard(instrument_id)

    def answered(self, instrument_ids: Iterable[int]) -> None:
        """Note that everything about these instruments that was subscribed to is acknowledged."""
        self._answered.update(self._trades.keys() & instrument_ids)

    def lost(self) -> None:
        """Note that the connection has ended."""
        self._answered.clear()
        self._begun.clear()
        self._newest = self._steady = 0
        for trades in self._trades.values():
            trades.lose()
        for book in self._books.values():
            book.end(Cause.RECONNECT)

    def take(self, decoded: Decoded) -> Findings:
        """Take what a frame said; return what it shows."""
        believed = self._times.believed
        for trade in decoded.trades:
            if trades := self._trades.get(trade.instrument_id):
                trades.take(believed(trade.ts, trade.received_at), trade.trade_id)
        for depth in decoded.depths:
            if book := self._books.get(depth.instrument_id):
                book.take(believed(depth.ts, depth.received_at))
        for instrument_id in decoded.broken:
            if book := self._books.get(instrument_id):
                book.end(Cause.BOOK)
        newest = _newest(decoded)
        ahead = newest is not None and newest.ts > self._newest
        if newest and ahead and self._times.learn(newest.ts, newest.received_at):
            self._advance(newest.ts, newest.received_at)
        return self._notes.take()

    def muted(self) -> list[Silent]:
        """Return the streams that are silent against their habit."""
        return [trades.silent for trades in self._trades.values() if trades.silent]

    def mute_books(self) -> list[int]:
        """Return the instruments that traded while their book was silent against its habit."""
        return [instrument_id for instrument_id, book in self._books.items() if book.mute]

    def was_quiet(self, instrument_id: int, after_id: int | None) -> None:
        """Learn that a stream that seemed mute had nothing to say since the trade ``after_id``."""
        if trades := self._trades.get(instrument_id):
            trades.was_quiet(after_id, self._newest)

    def _advance(self, ts: int, received_at: int) -> None:
        before, self._newest = self._newest, ts
        passed, self._received_at = received_at - self._received_at, received_at
        if self._steady < _STEADY_FRAMES:
            steady = before > 0 and ts - before <= passed + _STEADY_WITHIN
            self._steady = self._steady + 1 if steady else 0
        if len(self._begun) < len(self._answered):
            self._find_time(ts)
        if ts // SECOND > before // SECOND:
            self._prove(ts)

    def _find_time(self, ts: int) -> None:
        """Show the gaps since the last session, at once, and begin this one when its time is sure."""
        new = self._answered - self._begun
        for each in new:
            self._trades[each].doubt(self._times.latest(self._received_at))
            if self._steady < _STEADY_FRAMES:
                self._trades[each].reopen(ts)
            else:
                self._trades[each].begin(ts)
        if self._steady >= _STEADY_FRAMES:
            self._begun |= new

    def _prove(self, ts: int) -> None:
        for each in self._begun:
            self._trades[each].listen(ts)
            self._trades[each].prove(ts)
            self._books[each].listen(ts, self._trades[each].traded_at)
            self._books[each].prove(ts)


def _newest(decoded: Decoded) -> _Timed | None:
    ticks: Iterable[_Timed] = chain(decoded.trades, decoded.quotes, decoded.depths, decoded.watermarks)
    return max(ticks, key=_ts, default=None)
