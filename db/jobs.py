"""The recent past of new feeds, asked of the backfill lane. Jobs that heal gaps are made with their gaps."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("jobs")


async def enqueue_recent(connection: "Connection", instrument_id: int, from_ts: int, to_ts: int) -> int:
    """Ask for an instrument's trades in [from_ts, to_ts), microseconds; return the job's id."""
    with translated("asking for history"):
        job_id: int = await connection.fetchval(_sql.enqueue_recent, instrument_id, from_ts, to_ts)
    return job_id


async def unfinished_recent(connection: "Connection", instrument_ids: Collection[int]) -> dict[int, str]:
    """Return what was last said about the recent past of those instruments that still wait for it."""
    with translated("reading what became of history"):
        rows = await connection.fetch(_sql.unfinished_recent, list(instrument_ids))
    return {row["instrument_id"]: row["detail"] for row in rows}


async def give_up_recent(connection: "Connection", instrument_id: int) -> None:
    """Ask for an instrument's recent past no more."""
    with translated("giving history up"):
        await connection.execute(_sql.give_up_recent, instrument_id)
