"""Read final bars back, a page at a time."""

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from db import schema
from db.windows import Key, Window, cut, fetch
from market.bars import Bar
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

_b = schema.bars.c
_COLUMNS = (
    _b.interval_seconds,
    _b.start,
    _b.open,
    _b.high,
    _b.low,
    _b.close,
    _b.volume,
    _b.quote_volume,
    _b.buy_volume,
    _b.sell_volume,
    _b.trades,
    _b.source,
)


class SourcedBar(msgspec.Struct, frozen=True):
    """A bar and how it came to be: ``live``, or ``backfill`` when it was rebuilt."""

    bar: Bar
    source: str


async def read(
    connection: "Connection", window: Window, *, instrument_id: int, interval: int
) -> list[SourcedBar]:
    """Return final bars of one instrument and interval (microseconds) in the order of their start."""
    statement = select(*_COLUMNS).where(
        _b.instrument_id == instrument_id, _b.interval_seconds == interval // SECOND
    )
    rows = await fetch(connection, cut(statement, window, (_b.start,)), "reading bars")
    return [SourcedBar(Bar(seconds * SECOND, *values), source) for seconds, *values, source in rows]


def key(sourced: SourcedBar) -> Key:
    """Return what a page that ends with this bar is continued from."""
    return (sourced.bar.start,)
