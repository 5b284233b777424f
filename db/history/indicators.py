"""Read indicators back, a page at a time."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import ARRAY, Text, any_, bindparam, cast, select

from db import schema
from db.history.composed import Statement, merged
from db.history.windows import Key, Shape, Window
from db.indicators import indicator_of
from market.indicators import Indicator

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

_i = schema.indicators.c
_COLUMNS = (
    _i.instrument_id,
    _i.kind,
    _i.version,
    _i.ts,
    cast(_i.measured, Text).label("measured"),
    _i.confidence,
    _i.from_ts,
    _i.to_ts,
    _i.source,
)


class StoredIndicator(msgspec.Struct, frozen=True):
    """An indicator with where it belongs."""

    instrument_id: int
    indicator: Indicator


async def read(
    connection: "Connection", window: Window, *, instrument_ids: Sequence[int], kinds: Sequence[str] = ()
) -> list[StoredIndicator]:
    """Return indicators of these instruments, of all kinds or of these, in the order of their ``ts``."""
    values = {**window.values(instrument_ids), "kinds": kinds}
    page = _page(window.shape(instrument_ids), of_kinds=bool(kinds))
    return [_stored(row) for row in await page.fetch(connection, "reading indicators", values)]


def key(stored: StoredIndicator) -> Key:
    """Return what a page that ends with this indicator is continued from."""
    each = stored.indicator
    return (each.ts, stored.instrument_id, each.kind, each.version)


def _stored(row: "Record") -> StoredIndicator:
    values = dict(row)
    return StoredIndicator(values.pop("instrument_id"), indicator_of(values))


@cache
def _page(shape: Shape, *, of_kinds: bool) -> Statement:
    statement = select(*_COLUMNS)
    if of_kinds:
        statement = statement.where(_i.kind == any_(bindparam("kinds", type_=ARRAY(Text))))
    return merged(statement, shape, (_i.ts, _i.instrument_id, _i.kind, _i.version), _i.instrument_id)
