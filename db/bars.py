"""Read final bars back, a page at a time."""

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import select

from db import schema
from db.windows import Key, Window, cut, fetch
from market.bars import Bar
from market.times import HOUR, SECOND

if TYPE_CHECKING:
    from db.connections import Connection

_FIELDS: Final = (*Bar.__struct_fields__[1:], "source")


class SourcedBar(msgspec.Struct, frozen=True):
    """A bar and how it came to be: ``live``, or ``backfill`` when it was rebuilt."""

    bar: Bar
    source: str


async def read(
    connection: "Connection", window: Window, *, instrument_id: int, interval: int
) -> list[SourcedBar]:
    """Return final bars of one instrument and interval (microseconds) in the order of their start."""
    table = schema.bars_1h if interval == HOUR else schema.bars
    columns = table.c
    statement = select(*[columns[name] for name in _FIELDS]).where(columns.instrument_id == instrument_id)
    if interval != HOUR:
        statement = statement.where(columns.interval_seconds == interval // SECOND)
    rows = await fetch(connection, cut(statement, window, (columns.start,)), "reading bars")
    return [SourcedBar(Bar(interval, *values), source) for *values, source in rows]


def key(sourced: SourcedBar) -> Key:
    """Return what a page that ends with this bar is continued from."""
    return (sourced.bar.start,)
