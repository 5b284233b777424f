"""What the database takes, by table, index, and day; and keys of closed days, packed."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

import msgspec

from db.errors import translated
from db.partitions import HOT
from db.queries import load

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

_sql = load("storage")

_NOT_WORTH_IT_BYTES: Final = 1 << 20

_PACKING: Final = 0x4850434B
"""'HPCK': the advisory lock of who packs."""


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A table, or one ``day`` of one: how many rows it has, about, and what they take."""

    table: str
    name: str
    day: date | None
    rows: int
    heap_bytes: int
    index_bytes: int
    other_bytes: int

    @property
    def total_bytes(self) -> int:
        """Return all that it takes."""
        return self.heap_bytes + self.index_bytes + self.other_bytes


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """An index, of all days together."""

    table: str
    index: str
    bytes: int


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """All that the database takes."""

    database_bytes: int
    relations: Sequence[Relation]
    indexes: Sequence[Index]


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """An index that was written anew."""

    index: str
    before_bytes: int
    after_bytes: int


async def read(connection: "Connection") -> Storage:
    """Return what everything takes now."""
    with translated("measuring storage"):
        return Storage(
            database_bytes=await connection.fetchval(_sql.database_bytes),
            relations=[Relation(**dict(row)) for row in await connection.fetch(_sql.relations)],
            indexes=[Index(**dict(row)) for row in await connection.fetch(_sql.indexes)],
        )


async def sample(connection: "Connection", *, anew: bool) -> None:
    """Have PostgreSQL estimate rows of tables, and days, of which it never did; or of all ``anew``."""
    with translated("sampling tables"):
        for row in await connection.fetch(_sql.samples, anew):
            await connection.execute(row["statement"])


async def folder(connection: "Connection") -> str | None:
    """Return where the database lies, if its server is on this machine and says so."""
    with translated("asking where the database lies"):
        found: str | None = await connection.fetchval(_sql.folder)
    return found


async def pack(connection: "Connection", before: date) -> list[Packed]:
    """Write keys of days before a day anew that take more room than they need.

    On a connection of its own, in no transaction: readers and writers of these days go on meanwhile. Nothing
    is done while somebody else does it.
    """
    with translated("packing closed days"):
        if not await connection.fetchval(_sql.try_alone, _PACKING):
            return []
        try:
            for row in await connection.fetch(_sql.left_behind):
                await connection.execute(row["statement"])
            rows = await connection.fetch(_sql.loose, HOT, before, _NOT_WORTH_IT_BYTES)
            return [await _packed(connection, row) for row in rows]
        finally:
            await connection.fetchval(_sql.leave, _PACKING)


async def _packed(connection: "Connection", row: "Record") -> Packed:
    await connection.execute(row["fill"])
    await connection.execute(row["reindex"])
    after = await connection.fetchval(_sql.bytes_of, row["index"])
    return Packed(index=row["index"], before_bytes=row["bytes"], after_bytes=after)
