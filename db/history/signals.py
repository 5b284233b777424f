"""Read signals back, a page at a time."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import ARRAY, Text, any_, bindparam, cast, func, literal, select

from db import schema
from db.history.composed import Statement, merged
from db.history.windows import Key, Shape, Window
from db.instruments import Listed
from db.signals import StoredSignal, signal_of
from market.errors import UnknownSignalError
from market.signal_ids import SignalId
from market.signals import Journey

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

_s = schema.signals.c
_COLUMNS = (
    _s.instrument_id,
    _s.received_at,
    _s.committed_at,
    _s.kind,
    _s.version,
    _s.ts,
    _s.direction,
    _s.strength,
    _s.confidence,
    _s.price,
    cast(_s.evidence, Text).label("evidence"),
    _s.from_ts,
    _s.to_ts,
    _s.parameters_version,
    cast(_s.parameters, Text).label("parameters"),
    _s.first_ts,
    _s.first_id,
    _s.last_ts,
    _s.last_id,
    _s.warm,
    _s.source,
    _s.code_version,
    _s.decided_ts,
    _s.stored_at,
    _s.claimed_at,
)


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which signals: of these kinds (all), at least so strong, whichever way they point."""

    kinds: Sequence[str] = ()
    min_strength: float = 0.0


ALL: Final = Filters()


async def read(
    connection: "Connection", window: Window, *, instrument_ids: Sequence[int], filters: Filters = ALL
) -> list[StoredSignal]:
    """Return signals of these instruments that pass ``filters``, in the order of their ``ts``."""
    values = {**window.values(instrument_ids), **msgspec.structs.asdict(filters)}
    page = _page(
        window.shape(instrument_ids), of_kinds=bool(filters.kinds), of_strength=bool(filters.min_strength)
    )
    return [_stored(row) for row in await page.fetch(connection, "reading signals", values)]


async def named(connection: "Connection", listed: Listed, wanted: SignalId) -> StoredSignal:
    """Return this signal of a listed instrument; raises UnknownSignalError."""
    conditions = (
        _s.instrument_id == listed.instrument_id,
        _s.kind == wanted.kind,
        _s.version == wanted.version,
        _s.ts == literal(wanted.ts, _s.ts.type),
    )
    one = Statement(select(*_COLUMNS).where(*conditions))
    rows = await one.fetch(connection, "reading a signal")
    if not rows:
        message = f"no signal {wanted} is stored: it was withdrawn, or never told; /v1/signals lists all"
        raise UnknownSignalError(message, where="id")
    return _stored(rows[0])


def key(stored: StoredSignal) -> Key:
    """Return what a page that ends with this signal is continued from."""
    return (stored.signal.ts, stored.instrument_id, stored.signal.kind, stored.signal.version)


def _stored(row: "Record") -> StoredSignal:
    values = dict(row)
    names = ("instrument_id", "received_at", "committed_at", "code_version")
    ours = {name: values.pop(name) for name in names}
    decided_ts, stored_at, claimed_at = (
        values.pop(name) for name in ("decided_ts", "stored_at", "claimed_at")
    )
    journey = claimed_at and Journey(decided_ts, ours["received_at"], stored_at, claimed_at)
    return StoredSignal(**ours, journey=journey, signal=signal_of(values))


@cache
def _page(shape: Shape, *, of_kinds: bool, of_strength: bool) -> Statement:
    statement = select(*_COLUMNS)
    if of_kinds:
        statement = statement.where(_s.kind == any_(bindparam("kinds", type_=ARRAY(Text))))
    if of_strength:
        statement = statement.where(func.abs(_s.strength) >= bindparam("min_strength"))
    return merged(statement, shape, (_s.ts, _s.instrument_id, _s.kind, _s.version), _s.instrument_id)
