"""Where a tape ends."""

import msgspec


class TapeEnd(msgspec.Struct, frozen=True):
    """An instrument's last trade, and until when each kind was proven: where an ingester goes on."""

    ts: int | None = None
    trade_id: int | None = None
    trades_until: int | None = None
    depths_until: int | None = None
