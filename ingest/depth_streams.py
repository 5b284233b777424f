"""An instrument's book on one connection: from when to when it is valid. No I/O."""

from ingest.findings import Notes
from ingest.habits import Habit
from market.coverage import Proof
from market.gaps import DEPTHS, Cause, Finding, GapState
from market.tapes import TapeEnd


class BookStream:
    """One instrument's book: it is proven from one depth on until it breaks.

    A venue cannot give back its book, so what lies between is unrecoverable at once. What a book did
    while it was silent against its habit is proven by the next depth, which continues it. A trade
    meanwhile says otherwise: trades change books, so the stream is mute.
    """

    def __init__(self, instrument_id: int, end: TapeEnd, notes: Notes) -> None:
        self._instrument_id = instrument_id
        self._notes = notes
        self._until = end.depths_until
        self._cause = Cause.DOWNTIME
        self._last = 0
        self._since: int | None = None
        self._habit = Habit()
        self._silence = 0
        self.mute = False
        """Silent against its habit, while its instrument traded."""

    def take(self, ts: int) -> None:
        """Take a depth: the book is valid."""
        if self.mute:
            self.end(Cause.MUTE)
        self._silence = 0
        self._last = max(self._last, ts)
        self._habit.speak(self._last)
        if self._since is None:
            self._since = self._last
            if self._until is not None and self._until < self._since:
                self._note(self._until, self._since)

    def prove(self, until: int) -> None:
        """Note that venue time has come to ``until`` without a break."""
        if self._since is not None and not self._habit.exceeded(self._silence):
            self._notes.proofs.append(Proof(self._instrument_id, DEPTHS, self._since, until))

    def listen(self, ts: int, traded_at: int) -> None:
        """Look at venue time ``ts`` whether the book is silent against its habit; it traded last then."""
        self._habit.listen(ts)
        if self._since is None:
            return
        heard_at = max(self._last, self._habit.listening_since)
        self._silence = ts - heard_at
        self.mute = self._habit.exceeded(traded_at - heard_at)

    def end(self, cause: Cause) -> None:
        """Note that since its last depth the book is not valid any more.

        Where a new connection does not help a mute book, the next is made later and later.
        """
        if self._since is not None:
            self._since, self._until, self._cause = None, self._last, Cause.MUTE if self.mute else cause
        if self.mute:
            self._habit.stretch(self._silence)
        self._habit.interrupt()
        self._silence, self.mute = 0, False

    def _note(self, from_ts: int, to_ts: int) -> None:
        self._notes.gaps.append(
            Finding(
                instrument_id=self._instrument_id,
                kind=DEPTHS,
                cause=self._cause,
                state=GapState.UNRECOVERABLE,
                from_ts=from_ts,
                to_ts=to_ts,
            )
        )
