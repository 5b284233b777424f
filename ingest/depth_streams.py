"""An instrument's book on one connection: from when to when it is valid. No I/O."""

from ingest.findings import Notes
from market.coverage import Proof
from market.gaps import DEPTHS, Cause, Finding, GapState
from market.tapes import TapeEnd


class BookStream:
    """One instrument's book: it is proven from one depth on until it breaks.

    A venue cannot give back its book, so what lies between is unrecoverable at once.
    """

    def __init__(self, instrument_id: int, end: TapeEnd, notes: Notes) -> None:
        self._instrument_id = instrument_id
        self._notes = notes
        self._until = end.depths_until
        self._cause = Cause.DOWNTIME
        self._last = 0
        self._since: int | None = None

    def take(self, ts: int) -> None:
        """Take a depth: the book is valid."""
        self._last = max(self._last, ts)
        if self._since is None:
            self._since = self._last
            if self._until is not None and self._until < self._since:
                self._note(self._until, self._since)

    def prove(self, until: int) -> None:
        """Note that venue time has come to ``until`` without a break."""
        if self._since is not None:
            self._notes.proofs.append(Proof(self._instrument_id, DEPTHS, self._since, until))

    def end(self, cause: Cause) -> None:
        """Note that since its last depth the book is not valid any more."""
        if self._since is not None:
            self._since, self._until, self._cause = None, self._last, cause

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
