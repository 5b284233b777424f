"""Read trades back, a page at a time."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from db import schema
from db.history.composed import Statement, merged
from db.history.windows import Key, Shape, Window
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
    values = {**window.values(instrument_ids), "exchange_id": exchange_id}
    page = _page(window.shape(instrument_ids))
    return [Trade(*row) for row in await page.fetch(connection, "reading trades", values)]


def key(trade: Trade) -> Key:
    """Return what a page that ends with this trade is continued from."""
    return (trade.ts, trade.instrument_id, trade.trade_id)


@cache
def _page(shape: Shape) -> Statement:
    statement = select(*_COLUMNS).where(_t.exchange_id == bindparam("exchange_id"))
    return merged(statement, shape, _ORDER, _t.instrument_id)
