"""A database into which a backup is being restored: it says so of itself until all is there, and equal."""

from typing import TYPE_CHECKING, Final

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("restores")

IS_PART: Final = _sql.is_part
"""Asks whether a database holds a part of a backup."""


async def begin(connection: "Connection") -> None:
    """Have an empty database say that it is no whole one from now on."""
    with translated("beginning a restore"):
        await connection.execute(_sql.begin)


async def end(connection: "Connection") -> None:
    """Have it say so no more, in the transaction in which it was compared."""
    with translated("ending a restore"):
        await connection.execute(_sql.end)


async def rename_log(connection: "Connection") -> None:
    """Give the log of publications another name, as it goes on from an older moment."""
    with translated("naming the log"):
        await connection.execute(_sql.rename_log)
