"""Jobs that operators ask for, as wholes: put in the queue, looked at, and changed on the way."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from db import chunks, dirty
from db.chunks import BACKFILL
from db.dirty import DirtyInterval
from db.errors import translated
from db.queries import load
from market.errors import InvalidInputError, UnknownJobError

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("jobs")

RECOMPUTE: Final = "recompute"
IMPORT: Final = "import"
KINDS: Final = (BACKFILL, IMPORT, RECOMPUTE)
"""What operators ask for; what heals, trains, or fetches a new feed's past looks after itself."""

_CHANGED: Final = (BACKFILL, RECOMPUTE)
"""What others work on than the command that asked for it."""


class NewPiece(msgspec.Struct, frozen=True):
    """[from_ts, to_ts) of an instrument, with about so many rows."""

    instrument_id: int
    from_ts: int
    to_ts: int
    rows: int


class StoredJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job and what its pieces add up to; ``rows`` were estimated, ``fetched`` came, ``stored`` were new.

    ``names`` are instruments, like ``kraken:SOL/USD``; ``detail`` is what a piece last ran into.
    """

    job_id: int
    kind: str
    state: str
    created_at: int
    finished_at: int | None
    detail: str
    from_ts: int | None
    to_ts: int | None
    names: Sequence[str]
    pieces: int
    done: int
    failed: int
    rows: int
    fetched: int
    stored: int
    requests: int

    @property
    def is_over(self) -> bool:
        """Tell whether nobody works on it any more."""
        return self.state in ("done", "failed", "cancelled")


class StoredPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of one."""

    chunk_id: int
    instrument_id: int
    from_ts: int
    to_ts: int
    state: str
    rows: int
    fetched: int
    stored: int
    requests: int
    attempts: int
    rounds: int
    due_at: int
    detail: str


async def enqueue(
    connection: "Connection", kind: str, from_ts: int, to_ts: int, pieces: Sequence[NewPiece]
) -> int:
    """Ask for pieces, at least one, of what lies in [from_ts, to_ts), in this order; return the job's id."""
    with translated("asking for a job"):
        job_id: int = await connection.fetchval(
            _sql.enqueue,
            kind,
            from_ts,
            to_ts,
            [piece.instrument_id for piece in pieces],
            [piece.from_ts for piece in pieces],
            [piece.to_ts for piece in pieces],
            [piece.rows for piece in pieces],
        )
    return job_id


async def enqueue_backfill(
    connection: "Connection", from_ts: int, to_ts: int, pieces: Sequence[NewPiece]
) -> int:
    """Ask for what is missing of [from_ts, to_ts)."""
    return await enqueue(connection, BACKFILL, from_ts, to_ts, pieces)


async def hand_on(connection: "Connection") -> bool:
    """Mark the next piece of a recomputation dirty; tell whether there was one. In one transaction."""
    with translated("handing on what is to be computed again"):
        async with connection.transaction():
            row = await connection.fetchrow(_sql.hand_on)
            if row is None:
                return False
            stretch = DirtyInterval(row["instrument_id"], row["from_ts"], row["to_ts"])
            await dirty.mark(connection, [stretch], RECOMPUTE)
            await chunks.end_job(connection, row["job_id"])
    return True


async def told_otherwise(
    connection: "Connection", instrument_id: int, kind: str, version: int
) -> tuple[int | None, bool]:
    """Return since when a kind was told by another version of it, if it was, and whether it ever was told."""
    with translated("looking at what was told"):
        row = await connection.fetchrow(_sql.told_otherwise, instrument_id, kind, version)
    return (row["since"], row["told"]) if row else (None, False)


async def jobs(
    connection: "Connection",
    *,
    kinds: Sequence[str] | None = KINDS,
    job_ids: Sequence[int] | None = None,
    limit: int = 50,
) -> list[StoredJob]:
    """Return jobs of these kinds (all), or these jobs, the newest first."""
    with translated("reading jobs"):
        rows = await connection.fetch(_sql.overview, kinds, job_ids, limit)
    return [StoredJob(**dict(row)) for row in rows]


async def job(connection: "Connection", job_id: int) -> StoredJob:
    """Return one job; raises UnknownJobError when there is none."""
    found = await jobs(connection, kinds=None, job_ids=[job_id], limit=1)
    if not found:
        raise UnknownJobError(_unknown(job_id))
    return found[0]


async def pieces(connection: "Connection", job_id: int, limit: int | None = None) -> list[StoredPiece]:
    """Return the pieces of a job in order of time; of more than ``limit`` those that are not done first."""
    with translated("reading jobs"):
        return [StoredPiece(**dict(row)) for row in await connection.fetch(_sql.pieces, job_id, limit)]


async def uncomputed(
    connection: "Connection", instrument_ids: Sequence[int], from_ts: int, to_ts: int
) -> int:
    """Return how many stretches and results of a range wait to be computed, or told."""
    with translated("reading what is dirty"):
        left: int = await connection.fetchval(_sql.dirty_left, instrument_ids, from_ts, to_ts)
    return left


async def change(connection: "Connection", verb: str, job_id: int) -> str:
    """Pause, resume, cancel, or retry a job, in a transaction; return its state after it.

    An import can be cancelled once its command has ended. Raises InvalidInputError where that cannot be, as
    the job is not of an operator's asking, or over.
    """
    with translated(f"changing job {job_id}"):
        row = await connection.fetchrow(_sql.state, job_id)
        if row is None:
            raise UnknownJobError(_unknown(job_id))
        if row["kind"] == IMPORT and verb == "cancel":
            _demand_given_up(job_id, held=row["held"])
        elif row["kind"] not in _CHANGED:
            message = f"job {job_id} is of kind {row['kind']}: it looks after itself, or its command does"
            raise InvalidInputError(message)
        if not await VERBS[verb](connection, job_id):
            message = f"job {job_id} is {row['state']}: there is nothing to {verb}"
            raise InvalidInputError(message)
        return await _state(connection, job_id)


def _demand_given_up(job_id: int, *, held: bool) -> None:
    if held:
        message = f"job {job_id} is being imported, or was a minute ago: end its command, then cancel it"
        raise InvalidInputError(message)


async def _state(connection: "Connection", job_id: int) -> str:
    row = await connection.fetchrow(_sql.state, job_id)
    return row["state"] if row else "gone"


async def _pause(connection: "Connection", job_id: int) -> Any:  # noqa: ANN401 - the job's id, or nothing
    return await connection.fetchval(_sql.pause, job_id)


async def _resume(connection: "Connection", job_id: int) -> Any:  # noqa: ANN401
    """Hurry its pieces first, as whoever ends one takes the job after it."""
    await connection.execute(_sql.resume_pieces, job_id)
    return await connection.fetchval(_sql.resume, job_id)


async def _cancel(connection: "Connection", job_id: int) -> Any:  # noqa: ANN401
    """Cancel its pieces first, as whoever ends one takes the job after it; what they stored is computed."""
    cancelled = await connection.fetch(_sql.cancel_pieces, job_id)
    await chunks.mark_stored(connection, [row["chunk_id"] for row in cancelled])
    return await connection.fetchval(_sql.cancel, job_id)


async def _retry(connection: "Connection", job_id: int) -> Any:  # noqa: ANN401
    again = await connection.fetch(_sql.retry_pieces, job_id)
    return await connection.fetchval(_sql.retry, job_id) if again else None


Verb = Callable[["Connection", int], Awaitable[Any]]

VERBS: Final[Mapping[str, Verb]] = {"pause": _pause, "resume": _resume, "cancel": _cancel, "retry": _retry}


def _unknown(job_id: int) -> str:
    return f"there is no job {job_id}; heliograph jobs list shows those that there are"
