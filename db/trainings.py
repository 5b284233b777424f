"""Training, as jobs of the backfill lane: one chunk each, leased to whoever trains."""

from typing import TYPE_CHECKING

import msgspec

from db import chunks
from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("trainings")
_chunks = load("chunks")


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What an instrument could be trained on: its minutes in [from_ts, to_ts), and when it was asked for."""

    instrument_id: int
    exchange: str
    symbol: str
    from_ts: int
    to_ts: int
    minutes: int
    waits: bool
    asked_seconds_ago: float | None


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed training on the minutes of an instrument that start in [from_ts, to_ts), microseconds."""

    chunk_id: int
    job_id: int
    instrument_id: int
    from_ts: int
    to_ts: int
    attempts: int


async def histories(connection: "Connection", days: float) -> list[History]:
    """Return what every instrument could be trained on: at most so many days up to its newest minute."""
    with translated("reading what can be trained on"):
        return [History(**dict(row)) for row in await connection.fetch(_sql.histories, days)]


async def enqueue(connection: "Connection", history: History) -> int:
    """Ask for a training; return the job's id."""
    with translated("asking for a training"):
        job_id: int = await connection.fetchval(
            _sql.enqueue, history.instrument_id, history.from_ts, history.to_ts
        )
    return job_id


async def claim(connection: "Connection", holder: str, seconds: float) -> Training | None:
    """Lease the training that has waited longest, if there is one that nobody else holds."""
    with translated("claiming a training"):
        async with connection.transaction():
            row = await connection.fetchrow(_sql.claim, holder, seconds)
            if row is None:
                return None
            await connection.execute(_chunks.begin, row["job_id"])
    return Training(**dict(row))


async def finish(connection: "Connection", training: Training) -> None:
    """End a training with its job, in a transaction."""
    with translated("finishing a training"):
        await connection.execute(_chunks.end, training.chunk_id, "done", "")
    await chunks.end_job(connection, training.job_id)


async def give_up(connection: "Connection", training: Training, reason: str) -> None:
    """End a training without a model."""
    with translated("giving a training up"):
        await connection.execute(_sql.give_up, training.chunk_id, reason)


async def try_later(connection: "Connection", training: Training, seconds: float, reason: str) -> None:
    """Give a training back, to be claimed again in some seconds."""
    with translated("postponing a training"):
        await connection.execute(_sql.try_later, training.chunk_id, seconds, reason)
