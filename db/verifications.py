"""What a verification compares, read in one snapshot; and what came of scheduled ones."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Text, cast, literal, select

from db import schema
from db.claims import Cursor, decode_head
from db.errors import translated
from db.indicators import indicator_of
from db.queries import load
from db.signals import signal_of
from db.windows import fetch
from market import batches
from market.bars import Bar
from market.indicators import Indicator
from market.signals import Signal
from market.times import SECOND
from market.verifications import Difference, Unverified, Verification

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed

_sql = load("verifications")
_v = schema.verifications.c

DIFFERENCES_KEPT: Final = 100
"""Of one instrument and run; all are counted."""

_encode = msgspec.json.Encoder().encode
_decode_found = msgspec.json.Decoder(list[Difference]).decode
_decode_unverified = msgspec.json.Decoder(list[Unverified]).decode


class Stretch(msgspec.Struct, frozen=True):
    """[from_ts, to_ts) of an instrument's tape."""

    from_ts: int
    to_ts: int


class NewVerification(msgspec.Struct, frozen=True):
    """A verification that a scheduled run made."""

    instrument_id: int
    started_at: int
    finished_at: int
    code_version: str
    made: Verification


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


class Newest(msgspec.Struct, frozen=True):
    """What the newest day that was verified came to; without a run there are no ``instruments``."""

    instruments: int
    differences: int
    age_seconds: float | None


async def cursor(connection: "Connection", listed: "Listed") -> Cursor | None:
    """Return how far live is with an instrument; None before its first claim."""
    with translated("reading how far live is"):
        head = await connection.fetchval(_sql.head, listed.shard)
    return None if head is None else decode_head(head).cursors.get(listed.instrument_id)


async def bars(
    connection: "Connection", instrument_id: int, ranges: Mapping[int, tuple[int, int]]
) -> list[Bar]:
    """Return the bars that start in the range of their interval (microseconds)."""
    lengths = [length // SECOND for length in ranges]
    with translated("reading bars to verify"):
        rows = await connection.fetch(
            _sql.bars, instrument_id, lengths, *map(list, zip(*ranges.values(), strict=True))
        )
    return [Bar(seconds * SECOND, *rest) for seconds, *rest in rows]


async def signals(connection: "Connection", instrument_id: int, from_ts: int, to_ts: int) -> list[Signal]:
    """Return the signals of all kinds in [from_ts, to_ts)."""
    with translated("reading signals to verify"):
        rows = await connection.fetch(_sql.signals, instrument_id, from_ts, to_ts)
    return [signal_of(dict(row)) for row in rows]


async def unfolded(connection: "Connection", listed: "Listed", after_ts: int, to_ts: int) -> list[Stretch]:
    """Return what between two times is dirty, or has ticks that no worker has claimed yet."""
    with translated("reading what is to be repaired"):
        dirty = await connection.fetch(_sql.dirty, listed.instrument_id, after_ts, to_ts)
        waiting = await connection.fetch(_sql.waiting, listed.shard)
    spans = [
        Stretch(span.first_ts, span.last_ts + 1)
        for row in waiting
        for span in batches.decode(row["listing"]).get(listed.instrument_id, [])
    ]
    return [Stretch(*row) for row in dirty] + [
        span for span in spans if span.to_ts > after_ts and span.from_ts < to_ts
    ]


async def indicators(
    connection: "Connection", instrument_id: int, from_ts: int, to_ts: int
) -> list[Indicator]:
    """Return the indicators of all kinds in [from_ts, to_ts)."""
    with translated("reading indicators to verify"):
        rows = await connection.fetch(_sql.indicators, instrument_id, from_ts, to_ts)
    return [indicator_of(dict(row)) for row in rows]


async def measured_since(
    connection: "Connection", instrument_id: int, versions: Mapping[str, int]
) -> dict[str, int | None]:
    """Return since when these versions of kinds have measured a tape; None: never."""
    with translated("reading versions of indicators"):
        rows = await connection.fetch(
            _sql.measured_since, instrument_id, list(versions), list(versions.values())
        )
    return {kind: since for kind, since in rows}  # noqa: C416 - records, not pairs


async def eras(
    connection: "Connection", instrument_id: int, versions: Mapping[str, int]
) -> dict[str, int | None]:
    """Return, of kinds that other versions told of, since when these versions have; None: never."""
    with translated("reading versions of signals"):
        rows = await connection.fetch(_sql.eras, instrument_id, list(versions), list(versions.values()))
    return {kind: since for kind, since in rows}  # noqa: C416 - records, not pairs


async def began(connection: "Connection", listed: "Listed") -> int | None:
    """Return the first time at which there is anything of an instrument."""
    with translated("looking for where a tape begins"):
        found: int | None = await connection.fetchval(_sql.began, listed.exchange_id, listed.instrument_id)
    return found


async def has_anything(connection: "Connection", listed: "Listed", from_ts: int, to_ts: int) -> bool:
    """Tell whether there is a tape, or anything made of one, in [from_ts, to_ts)."""
    with translated("looking for what to verify"):
        found: bool = await connection.fetchval(
            _sql.anything, listed.exchange_id, listed.instrument_id, from_ts, to_ts
        )
    return found


async def record(connection: "Connection", new: NewVerification) -> None:
    """Keep what a scheduled run found."""
    made = new.made
    with translated("recording a verification"):
        await connection.execute(
            _sql.record,
            new.instrument_id,
            made.from_ts,
            made.to_ts,
            new.started_at,
            new.finished_at,
            new.code_version,
            made.bars,
            made.signals,
            made.indicators,
            len(made.differences),
            _encode(made.differences[:DIFFERENCES_KEPT]).decode(),
            _encode(made.unverified).decode(),
        )


async def verified_since(connection: "Connection", from_ts: int, since: int) -> set[int]:
    """Return the instruments whose stretch from ``from_ts`` was verified after a moment."""
    with translated("looking for what was verified"):
        return {row[0] for row in await connection.fetch(_sql.verified_since, from_ts, since)}


async def newest(connection: "Connection") -> Newest:
    """Return what the newest day that was verified came to."""
    with translated("reading the newest verification"):
        row = await connection.fetchrow(_sql.newest)
    return Newest(*(row or (0, 0, None)))


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
    rows = await fetch(connection, statement, "reading verifications")
    return [_stored(dict(row)) for row in rows]


_JSON: Final = ("found", "unverified")
_COLUMNS: Final = [
    cast(_v[name], Text).label(name) if name in _JSON else _v[name]
    for name in StoredVerification.__struct_fields__
]


def _stored(values: dict[str, Any]) -> StoredVerification:
    found, unverified = values.pop("found"), values.pop("unverified")
    return StoredVerification(found=_decode_found(found), unverified=_decode_unverified(unverified), **values)
