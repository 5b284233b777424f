"""Read trades back, a page at a time."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from db import schema
from db.windows import Columns, Key, Window, cut, fetch
from market.trades import Trade

if TYPE_CHECKING:
    from db.connections import Connection

_t = schema.trades.c
_COLUMNS = (_t.instrument_id, _t.ts, _t.trade_id, _t.price, _t.size, _t.side, _t.received_at)


async def read(
    connection: "Connection", window: Window, *, exchange_id: int, instrument_id: int | None = None
) -> list[Trade]:
    """Return trades of one exchange, or of one of its instruments, in the order of (ts, instrument, id)."""
    statement = select(*_COLUMNS).where(_t.exchange_id == exchange_id)
    if instrument_id is not None:
        statement = statement.where(_t.instrument_id == instrument_id)
    rows = await fetch(connection, cut(statement, window, _order(instrument_id)), "reading trades")
    return [Trade(*row) for row in rows]


def key(trade: Trade, *, one_instrument: bool) -> Key:
    """Return what a page that ends with this trade is continued from."""
    return (trade.ts, trade.trade_id) if one_instrument else (trade.ts, trade.instrument_id, trade.trade_id)


def _order(instrument_id: int | None) -> Columns:
    """Return the columns as an index has them: the primary key's, or after (exchange_id, ts) a short sort."""
    return (_t.ts, _t.trade_id) if instrument_id is not None else (_t.ts, _t.instrument_id, _t.trade_id)
