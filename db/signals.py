"""Read signals back, a page at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Text, cast, func, literal, select

from db import schema
from db.instruments import Listed
from db.windows import Key, Window, fetch, merged
from market.errors import UnknownSignalError
from market.signal_ids import SignalId
from market.signals import Delivery, Direction, Journey, Signal
from market.ticks import Place

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
_decode_evidence = msgspec.json.Decoder(dict[str, float]).decode
_decode_parameters = msgspec.json.Decoder(dict[str, int | float]).decode


class StoredSignal(msgspec.Struct, frozen=True):
    """A signal with where it belongs and how it went: times in microseconds."""

    instrument_id: int
    received_at: int
    committed_at: int
    code_version: str
    journey: Journey | None
    signal: Signal

    def delivery(self, coverage: float) -> Delivery:
        """Return how it came to be told, and how much of its input is proven."""
        return Delivery(coverage, self.received_at, self.committed_at, self.code_version, self.journey)


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which signals: of these kinds (all), at least so strong, whichever way they point."""

    kinds: Sequence[str] = ()
    min_strength: float = 0.0


ALL: Final = Filters()


async def read(
    connection: "Connection", window: Window, *, instrument_ids: Sequence[int], filters: Filters = ALL
) -> list[StoredSignal]:
    """Return signals of these instruments that pass ``filters``, in the order of their ``ts``."""
    statement = select(*_COLUMNS)
    if filters.kinds:
        statement = statement.where(_s.kind.in_(filters.kinds))
    if filters.min_strength:
        statement = statement.where(func.abs(_s.strength) >= filters.min_strength)
    order = (_s.ts, _s.instrument_id, _s.kind, _s.version)
    page = merged(statement, window, order, _s.instrument_id, instrument_ids)
    return [_stored(row) for row in await fetch(connection, page, "reading signals")]


async def named(connection: "Connection", listed: Listed, wanted: SignalId) -> StoredSignal:
    """Return this signal of a listed instrument; raises UnknownSignalError."""
    conditions = (
        _s.instrument_id == listed.instrument_id,
        _s.kind == wanted.kind,
        _s.version == wanted.version,
        _s.ts == literal(wanted.ts, _s.ts.type),
    )
    rows = await fetch(connection, select(*_COLUMNS).where(*conditions), "reading a signal")
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


def signal_of(values: dict[str, Any]) -> Signal:
    """Return the signal that the columns of its content tell."""
    first, last = _place(values, "first"), _place(values, "last")
    return Signal(
        direction=Direction(values.pop("direction")),
        evidence=_decode_evidence(values.pop("evidence")),
        parameters=_decode_parameters(values.pop("parameters")),
        first=first,
        last=last,
        source=values.pop("source"),
        **values,
    )


def _place(values: dict[str, Any], end: str) -> Place | None:
    ts, tick_id = values.pop(f"{end}_ts"), values.pop(f"{end}_id")
    return None if ts is None else Place(ts, tick_id)
