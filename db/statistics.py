"""What PostgreSQL's planner knows of the large tables."""

from typing import TYPE_CHECKING

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("statistics")


async def refresh(connection: "Connection") -> int:
    """Sample the partitioned tables, which autovacuum never does; return how many there are."""
    with translated("refreshing statistics"):
        rows = await connection.fetch(_sql.partitioned)
        for row in rows:
            await connection.execute(row["statement"])
    return len(rows)
