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

IS_PART: Final = _sql.is_part
"""Asks whether the database holds a part of a backup."""

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


async def rename_log(connection: "Connection") -> None:
    """Give the log of publications another name, as it goes on from an older moment."""
    with translated("naming the log"):
        await connection.execute(_sql.rename_log)


async def begin_restore(connection: "Connection") -> None:
    """Have the database say of itself that it holds a part of a backup."""
    with translated("marking the database"):
        await connection.execute(_sql.begin_restore)


async def end_restore(connection: "Connection") -> None:
    """Have it say so no more."""
    with translated("marking the database"):
        await connection.execute(_sql.end_restore)
