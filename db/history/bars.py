"""Read final bars back, a page at a time."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import bindparam, select

from db import schema
from db.history.composed import Statement, merged
from db.history.windows import Key, Shape, Window
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
    values = {**window.values(instrument_ids), "interval_seconds": interval // SECOND}
    page = _page(window.shape(instrument_ids), of_hours=interval == HOUR)
    rows = await page.fetch(connection, "reading bars", values)
    return [
        SourcedBar(instrument_id, Bar(interval, *values), source) for instrument_id, *values, source in rows
    ]


def key(sourced: SourcedBar) -> Key:
    """Return what a page that ends with this bar is continued from."""
    return (sourced.bar.start, sourced.instrument_id)


@cache
def _page(shape: Shape, *, of_hours: bool) -> Statement:
    columns = (schema.bars_1h if of_hours else schema.bars).c
    statement = select(columns.instrument_id, *[columns[name] for name in _FIELDS])
    if not of_hours:
        statement = statement.where(columns.interval_seconds == bindparam("interval_seconds"))
    return merged(statement, shape, (columns.start, columns.instrument_id), columns.instrument_id)
