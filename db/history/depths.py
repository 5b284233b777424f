"""Read the tops of order books back, a page at a time."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from db import schema
from db.history.composed import Statement, merged
from db.history.windows import Key, Shape, Window
from market.depths import Depth

if TYPE_CHECKING:
    from db.connections import Connection

_d = schema.depths.c
_COLUMNS = [_d[name] for name in Depth.__struct_fields__]
_ORDER = (_d.ts, _d.instrument_id, _d.update_id)


async def read(
    connection: "Connection", window: Window, *, exchange_id: int, instrument_ids: Sequence[int]
) -> list[Depth]:
    """Return depths of instruments of one exchange in the order of (ts, instrument, update)."""
    values = {**window.values(instrument_ids), "exchange_id": exchange_id}
    page = _page(window.shape(instrument_ids))
    return [Depth(*row) for row in await page.fetch(connection, "reading depths", values)]


def key(depth: Depth) -> Key:
    """Return what a page that ends with this depth is continued from."""
    return (depth.ts, depth.instrument_id, depth.update_id)


@cache
def _page(shape: Shape) -> Statement:
    statement = select(*_COLUMNS).where(_d.exchange_id == bindparam("exchange_id"))
    return merged(statement, shape, _ORDER, _d.instrument_id)
