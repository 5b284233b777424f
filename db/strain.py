"""What the house runs short of, as PostgreSQL knows it: for /metrics."""

from typing import TYPE_CHECKING

import msgspec

from db import coverage, schedules
from db.coverage import Stretch
from db.errors import translated
from db.queries import load
from db.schedules import LastRun
from market.gaps import TRADES

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("strain")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """How PostgreSQL itself does."""

    oldest_snapshot_seconds: float
    connections: int
    connections_limit: int
    bytes: int


class Strain(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of it; ``breakers`` are (process, host, is open), ``covered`` (exchange, symbol, share)."""

    server: Server
    dead_rows: dict[str, int]
    dead_letters: dict[str, int]
    breakers: list[tuple[str, str, bool]]
    covered: list[tuple[str, str, float]]
    chores: dict[str, LastRun]


async def read(connection: "Connection") -> Strain:
    """Return it as it is now."""
    with translated("reading what is short"):
        server = await connection.fetchrow(_sql.server)
        dead_rows = await connection.fetch(_sql.dead_rows)
        dead_letters = await connection.fetch(_sql.dead_letters)
        breakers = await connection.fetch(_sql.breakers)
    return Strain(
        server=Server(**dict(server or {})),
        dead_rows={table: rows for table, rows in dead_rows},  # noqa: C416 - records, not pairs
        dead_letters={source: letters for source, letters in dead_letters},  # noqa: C416 - the same
        breakers=[(process, host, is_open) for process, host, is_open in breakers],
        covered=await _covered(connection),
        chores=await schedules.last(connection),
    )


async def _covered(connection: "Connection") -> list[tuple[str, str, float]]:
    with translated("reading which feeds are active"):
        rows = await connection.fetch(_sql.listened)
    stretches = [
        Stretch(row["instrument_id"], TRADES, row["from_ts"], max(row["from_ts"] + 1, row["to_ts"]))
        for row in rows
    ]
    shares = await coverage.shares(connection, stretches)
    return [(row["exchange"], row["symbol"], share) for row, share in zip(rows, shares, strict=True)]
