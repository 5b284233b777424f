"""Indicators at rest: written by claims, read back a page at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Text, cast, select

from db import schema
from db.errors import translated
from db.queries import load
from db.windows import Key, Window, fetch, merged
from market.indicators import Indicator

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

_sql = load("indicators")
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
_decode = msgspec.json.Decoder(dict[str, float]).decode
_encode = msgspec.json.Encoder().encode


class Replaced(msgspec.Struct, frozen=True):
    """Indicators of an instrument, computed from ``source``, in place of all that stand in [from_ts, to_ts).

    Without ``from_ts`` there are none to replace, without ``to_ts`` all that are later are.
    """

    instrument_id: int
    source: str
    from_ts: int | None
    to_ts: int | None
    indicators: Sequence[Indicator]


class StoredIndicator(msgspec.Struct, frozen=True):
    """An indicator with where it belongs."""

    instrument_id: int
    indicator: Indicator


async def replace(connection: "Connection", replaced: Sequence[Replaced]) -> None:
    """Remove what is replaced, and write what stands in its place."""
    again = [each for each in replaced if each.from_ts is not None]
    rows = [(each.instrument_id, one) for each in replaced for one in each.indicators]
    with translated("writing indicators"):
        if again:
            await connection.execute(
                _sql.clear,
                [each.instrument_id for each in again],
                [each.source for each in again],
                [each.from_ts for each in again],
                [each.to_ts for each in again],
            )
        if rows:
            await connection.execute(_sql.add, *_columns(rows))


def _columns(rows: Sequence[tuple[int, Indicator]]) -> list[list[object]]:
    return [
        [instrument_id for instrument_id, _ in rows],
        [each.kind for _, each in rows],
        [each.version for _, each in rows],
        [each.ts for _, each in rows],
        [_encode(each.values).decode() for _, each in rows],
        [each.confidence for _, each in rows],
        [each.from_ts for _, each in rows],
        [each.to_ts for _, each in rows],
        [each.source for _, each in rows],
    ]


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


def indicator_of(values: dict[str, Any]) -> Indicator:
    """Return the indicator that the columns of its content tell."""
    return Indicator(values=_decode(values.pop("measured")), **values)


def _stored(row: "Record") -> StoredIndicator:
    values = dict(row)
    return StoredIndicator(values.pop("instrument_id"), indicator_of(values))
