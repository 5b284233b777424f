"""Read final bars back, a page at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import select

from db import schema
from db.history.windows import Key, Window, fetch, merged
from market.bars import Bar
from market.times import HOUR, SECOND

if TYPE_CHECKING:
    from db.connections import Connection

_FIELDS: Final = (*Bar.__struct_fields__[1:], "source")


class SourcedBar(msgspec.Struct, frozen=True):
    """A bar, whose it is, and how it came to be: ``live``, or ``backfill`` when it was rebuilt."""

    instrument_id: int
    bar: Bar
    source: str


async def read(
    connection: "Connection", window: Window, *, instrument_ids: Sequence[int], interval: int
) -> list[SourcedBar]:
    """Return final bars of these instruments and one interval (microseconds) in the order of their start."""
    table = schema.bars_1h if interval == HOUR else schema.bars
    columns = table.c
    statement = select(columns.instrument_id, *[columns[name] for name in _FIELDS])
    if interval != HOUR:
        statement = statement.where(columns.interval_seconds == interval // SECOND)
    order = (columns.start, columns.instrument_id)
    page = merged(statement, window, order, columns.instrument_id, instrument_ids)
    rows = await fetch(connection, page, "reading bars")
    return [
        SourcedBar(instrument_id, Bar(interval, *values), source) for instrument_id, *values, source in rows
    ]


def key(sourced: SourcedBar) -> Key:
    """Return what a page that ends with this bar is continued from."""
    return (sourced.bar.start, sourced.instrument_id)
