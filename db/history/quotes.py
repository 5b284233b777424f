"""Read quotes back, a page at a time."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from db import schema
from db.history.composed import Statement, merged
from db.history.windows import Key, Shape, Window
from market.quotes import Quote

if TYPE_CHECKING:
    from db.connections import Connection

_q = schema.quotes.c
_COLUMNS = [_q[name] for name in Quote.__struct_fields__]
_ORDER = (_q.ts, _q.instrument_id, _q.update_id)


async def read(
    connection: "Connection", window: Window, *, exchange_id: int, instrument_ids: Sequence[int]
) -> list[Quote]:
    """Return quotes of instruments of one exchange in the order of (ts, instrument, update)."""
    values = {**window.values(instrument_ids), "exchange_id": exchange_id}
    page = _page(window.shape(instrument_ids))
    return [Quote(*row) for row in await page.fetch(connection, "reading quotes", values)]


def key(quote: Quote) -> Key:
    """Return what a page that ends with this quote is continued from."""
    return (quote.ts, quote.instrument_id, quote.update_id)


@cache
def _page(shape: Shape) -> Statement:
    statement = select(*_COLUMNS).where(_q.exchange_id == bindparam("exchange_id"))
    return merged(statement, shape, _ORDER, _q.instrument_id)
