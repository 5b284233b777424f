"""Venue time that passed without a trade: time is data, and part of the tape."""

import msgspec

from market.ticks import Kind, TapeKey


class Watermark(msgspec.Struct, frozen=True):
    """The instrument's venue has passed ``ts``: no earlier trade is expected any more.

    Ingest writes it for an instrument that did not trade, at most one a second, and a second
    behind the newest time of the connection: trades are told later than books (up to 186 ms on
    recorded tapes).
    """

    instrument_id: int
    ts: int
    received_at: int

    @property
    def tape_key(self) -> TapeKey:
        """Return where this watermark stands on its tape."""
        return TapeKey(self.ts, Kind.WATERMARK, 0)
