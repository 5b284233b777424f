"""What a database holds, in numbers that are equal for equal rows: to compare what was restored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from db.connections import connected
from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("digests")

SESSION: Final = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
"""What the text of a row depends on; a snapshot lasts for as long as its dump does."""


class Digest(msgspec.Struct, frozen=True):
    """How many rows a table has, and the sum of their hashes."""

    rows: int
    digest: str


@asynccontextmanager
async def snapshot(url: str) -> "AsyncIterator[tuple[Connection, str]]":
    """Give a connection that sees one moment, and the name of the moment, which others can see too."""
    async with connected(url, "heliograph backup", SESSION) as connection:
        with translated("taking a snapshot"):
            transaction = connection.transaction(isolation="repeatable_read", readonly=True)
            await transaction.start()
            name: str = await connection.fetchval(_sql.snapshot)
        try:
            yield connection, name
        finally:
            with translated("ending a snapshot"):
                await transaction.rollback()


async def digests(connection: "Connection") -> dict[str, Digest]:
    """Return the digest of each table; the connection has SESSION's settings."""
    found: dict[str, Digest] = {}
    with translated("digesting tables"):
        for table, statement in await connection.fetch(_sql.digesting):
            found[table] = Digest(*(await connection.fetchrow(statement) or (0, "0")))
    return found


async def revision(connection: "Connection") -> str:
    """Return the revision of the schema."""
    with translated("reading the schema's revision"):
        found: str = await connection.fetchval(_sql.revision)
    return found


async def is_empty(connection: "Connection") -> bool:
    """Tell whether the database has no table yet."""
    with translated("looking for tables"):
        tables: int = await connection.fetchval(_sql.tables)
    return tables == 0
