"""Read verifications back, a page at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Text, cast, literal, select

from db import schema
from db.history.composed import Statement
from market.verifications import Difference, Unverified

if TYPE_CHECKING:
    from db.connections import Connection

_v = schema.verifications.c
_decode_found = msgspec.json.Decoder(list[Difference]).decode
_decode_unverified = msgspec.json.Decoder(list[Unverified]).decode


class StoredVerification(msgspec.Struct, frozen=True, kw_only=True):
    """One that stands: ``found`` has the first DIFFERENCES_KEPT of its ``differences``."""

    verification_id: int
    instrument_id: int
    from_ts: int
    to_ts: int
    started_at: int
    finished_at: int
    code_version: str
    bars: int
    signals: int
    indicators: int
    differences: int
    found: list[Difference]
    unverified: list[Unverified]


_JSON: Final = ("found", "unverified")
_COLUMNS: Final = [
    cast(_v[name], Text).label(name) if name in _JSON else _v[name]
    for name in StoredVerification.__struct_fields__
]


async def read(  # noqa: PLR0913 - which part, and which page of it
    connection: "Connection",
    instrument_ids: Sequence[int],
    *,
    from_ts: int | None = None,
    to_ts: int | None = None,
    after: int | None = None,
    newest_first: bool = False,
    limit: int,
) -> list[StoredVerification]:
    """Return a page of those of stretches that overlap [from_ts, to_ts), in the order of their ids."""
    order = _v.verification_id.desc() if newest_first else _v.verification_id
    statement = select(*_COLUMNS).where(_v.instrument_id.in_(instrument_ids)).order_by(order).limit(limit)
    if from_ts is not None:
        statement = statement.where(_v.to_ts > literal(from_ts, _v.to_ts.type))
    if to_ts is not None:
        statement = statement.where(_v.from_ts < literal(to_ts, _v.from_ts.type))
    if after is not None:
        beyond = _v.verification_id < after if newest_first else _v.verification_id > after
        statement = statement.where(beyond)
    rows = await Statement(statement).fetch(connection, "reading verifications")
    return [_stored(dict(row)) for row in rows]


def _stored(values: dict[str, Any]) -> StoredVerification:
    found, unverified = values.pop("found"), values.pop("unverified")
    return StoredVerification(found=_decode_found(found), unverified=_decode_unverified(unverified), **values)
