"""What a verification compares, read in one snapshot; and what came of scheduled ones."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from db.claims import Cursor, decode_head
from db.errors import translated
from db.indicators import indicator_of
from db.queries import load
from db.signals import signal_of
from market import batches
from market.bars import Bar
from market.indicators import Indicator
from market.signals import Signal
from market.times import SECOND
from market.verifications import Verification

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed

_sql = load("verifications")

DIFFERENCES_KEPT: Final = 100
"""Of one instrument and run; all are counted."""

_encode = msgspec.json.Encoder().encode


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


class Newest(msgspec.Struct, frozen=True):
    """What the newest night came to, with days it made up for; without a run there are no ``instruments``."""

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
    """Return what the newest night of verification came to."""
    with translated("reading the newest verification"):
        row = await connection.fetchrow(_sql.newest)
    return Newest(*(row or (0, 0, None)))
