"""What the backfill lane is asked for. Jobs that heal gaps are made where gaps are opened."""

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
