"""How far a run is: what waits, and what has been published."""

from typing import TYPE_CHECKING

import msgspec

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("runs")


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Batches that wait, and how many publications the log has of each family."""

    batches: int
    signals: int
    bars: int


async def progress(connection: "Connection") -> Progress:
    """Return how far everything is."""
    with translated("reading how far the run is"):
        row = await connection.fetchrow(_sql.progress)
    return Progress(**dict(row or {}))
