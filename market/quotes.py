"""The best bid and ask."""

import msgspec

from market.ticks import Kind, TapeKey


class Quote(msgspec.Struct, frozen=True):
    """The best bid and ask after one update. A size that the venue does not tell is NaN."""

    instrument_id: int
    ts: int
    update_id: int
    bid_price: float
    bid_size: float
    ask_price: float
    ask_size: float
    received_at: int

    @property
    def tape_key(self) -> TapeKey:
        """Return where this quote stands on its tape."""
        return TapeKey(self.ts, Kind.QUOTE, self.update_id)
