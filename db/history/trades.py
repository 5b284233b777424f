"""Read trades back, a page at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from db import schema
from db.history.windows import Key, Window, fetch, merged
from market.trades import Trade

if TYPE_CHECKING:
    from db.connections import Connection

_t = schema.trades.c
_COLUMNS = (_t.instrument_id, _t.ts, _t.trade_id, _t.price, _t.size, _t.side, _t.received_at)
_ORDER = (_t.ts, _t.instrument_id, _t.trade_id)


async def read(
    connection: "Connection", window: Window, *, exchange_id: int, instrument_ids: Sequence[int]
) -> list[Trade]:
    """Return trades of instruments of one exchange in the order of (ts, instrument, id)."""
    statement = select(*_COLUMNS).where(_t.exchange_id == exchange_id)
    page = merged(statement, window, _ORDER, _t.instrument_id, instrument_ids)
    return [Trade(*row) for row in await fetch(connection, page, "reading trades")]


def key(trade: Trade) -> Key:
    """Return what a page that ends with this trade is continued from."""
    return (trade.ts, trade.instrument_id, trade.trade_id)
