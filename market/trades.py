"""An executed trade."""

from enum import IntEnum

import msgspec

from market.ticks import Kind, TapeKey


class Side(IntEnum):
    """What the taker did."""

    SELL = -1
    UNKNOWN = 0
    BUY = 1


class Trade(msgspec.Struct, frozen=True):
    """One executed trade. Times are microseconds since 1970 UTC; size is in the instrument's unit."""

    instrument_id: int
    ts: int
    trade_id: int
    price: float
    size: float
    side: int
    received_at: int

    @property
    def tape_key(self) -> TapeKey:
        """Return where this trade stands on its tape."""
        return TapeKey(self.ts, Kind.TRADE, self.trade_id)
