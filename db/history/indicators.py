"""Read indicators back, a page at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Text, cast, select

from db import schema
from db.history.windows import Key, Window, fetch, merged
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
    statement = select(*_COLUMNS)
    if kinds:
        statement = statement.where(_i.kind.in_(kinds))
    order = (_i.ts, _i.instrument_id, _i.kind, _i.version)
    page = merged(statement, window, order, _i.instrument_id, instrument_ids)
    return [_stored(row) for row in await fetch(connection, page, "reading indicators")]


def key(stored: StoredIndicator) -> Key:
    """Return what a page that ends with this indicator is continued from."""
    each = stored.indicator
    return (each.ts, stored.instrument_id, each.kind, each.version)


def _stored(row: "Record") -> StoredIndicator:
    values = dict(row)
    return StoredIndicator(values.pop("instrument_id"), indicator_of(values))
