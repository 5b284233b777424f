"""What of a tape must be computed again: claimed by the backfill pool, some minutes at a time."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from db.claims import NOTHING, Cursor, Versioned, decode_head
from db.errors import translated
from db.queries import load
from market.times import MINUTE

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("dirty")

PIECE: Final = 10 * MINUTE
"""How much of a tape is computed again at once, at most: what comes of it is told in one claim."""

_INSTRUMENT_LOCKS: Final = 1_953_655_140
"""The class of the advisory locks under which instruments are repaired."""


class DirtyInterval(msgspec.Struct, frozen=True):
    """[from_ts, to_ts) of an instrument's tape, in microseconds, to be computed again."""

    instrument_id: int
    from_ts: int
    to_ts: int


class Dirty(msgspec.Struct, frozen=True):
    """A row that is locked."""

    dirty_id: int
    from_ts: int
    to_ts: int


class Piece(msgspec.Struct, frozen=True):
    """[from_ts, to_ts) of an instrument's tape, and the rows, locked, that ask for it or more."""

    instrument_id: int
    exchange_id: int
    shard: int
    from_ts: int
    to_ts: int
    rows: Sequence[Dirty]


async def mark(connection: "Connection", intervals: Sequence[DirtyInterval], reason: str) -> None:
    """Ask for these intervals to be computed again; in the transaction that made them so."""
    with translated("marking intervals dirty"):
        await connection.execute(
            _sql.mark,
            [each.instrument_id for each in intervals],
            [each.from_ts for each in intervals],
            [each.to_ts for each in intervals],
            reason,
        )


async def cursors(connection: "Connection") -> dict[int, Cursor]:
    """Return how far live is with the instruments of shards that have something dirty."""
    with translated("reading how far live is"):
        rows = await connection.fetch(_sql.heads)
    return {
        instrument_id: cursor
        for row in rows
        for instrument_id, cursor in decode_head(row["head"]).cursors.items()
    }


async def newest_head(connection: "Connection", shard: int) -> Versioned:
    """Return how far live is with a shard."""
    with translated("reading how far live is"):
        row = await connection.fetchrow(_sql.head, shard)
    return Versioned(row["version"], decode_head(row["head"])) if row else NOTHING


async def lock_piece(connection: "Connection", live: Mapping[int, Cursor]) -> Piece | None:
    """Lock, until the transaction ends, the newest that is dirty of an instrument that nobody repairs.

    Only what begins before live's cursor; None when there is nothing.
    """
    with translated("claiming what is dirty"):
        ts = {instrument_id: cursor.ts for instrument_id, cursor in live.items()}
        for instrument_id, exchange_id, shard in await connection.fetch(
            _sql.due, list(ts), list(ts.values())
        ):
            if not await connection.fetchval(_sql.lock_instrument, _INSTRUMENT_LOCKS, instrument_id):
                continue
            newest = await connection.fetchrow(_sql.lock_newest, instrument_id, ts[instrument_id])
            if newest is None:
                continue
            to_ts = min(newest["to_ts"], ts[instrument_id] + 1)
            since = to_ts - PIECE
            rows = await connection.fetch(_sql.lock_after, instrument_id, ts[instrument_id], since)
            locked = [Dirty(*row) for row in rows]
            from_ts = max(since, min(row.from_ts for row in locked))
            return Piece(instrument_id, exchange_id, shard, from_ts, to_ts, locked)
    return None


async def finish(connection: "Connection", piece: Piece) -> None:
    """Forget what was computed again; what a row asks for before that, or beyond live, is left."""
    with translated("finishing what was dirty"):
        await connection.execute(_sql.keep_later, [row.dirty_id for row in piece.rows], piece.to_ts)
        await connection.execute(
            _sql.done, [row.dirty_id for row in piece.rows if row.from_ts >= piece.from_ts]
        )
        await connection.execute(
            _sql.shorten,
            [row.dirty_id for row in piece.rows if row.from_ts < piece.from_ts],
            piece.from_ts,
        )
