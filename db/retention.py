"""Whole days of ticks that are older than they are to be kept, dropped without holding anybody up."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import TYPE_CHECKING, Final

import msgspec

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from db.connections import Connection

_sql = load("retention")

_DROPPING: Final = 0x48524554
"""'HRET': the advisory lock of who drops."""


class OldDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a table, about how much is in it, and why it is kept all the same, if it is (``held``)."""

    table: str
    name: str
    day: date
    rows: int
    bytes: int
    held: str
    detach: str
    drop: str


async def due(connection: "Connection", before: Mapping[str, date]) -> list[OldDay]:
    """Return the days of each table before a day."""
    with translated("looking for old days"):
        return [
            OldDay(**dict(row))
            for table, day in before.items()
            for row in await connection.fetch(_sql.days, table, day)
        ]


async def drop(
    connection: "Connection",
    before: Mapping[str, date],
    archive: Callable[[OldDay], Awaitable[None]] | None = None,
) -> Sequence[OldDay]:
    """Drop these days, but for those that are held, once each was archived; return which.

    In no transaction, so that nobody waits who reads or writes other days. What proves such a day, and its
    gaps, stay on record. Nothing is done while somebody else does it.
    """
    dropped: list[OldDay] = []
    with translated("dropping old days"):
        async with _alone(connection) as alone:
            if not alone:
                return ()
            for row in await connection.fetch(_sql.left_behind):
                await connection.execute(row["statement"])
            for day in await due(connection, before):
                if not day.held:
                    if archive is not None:
                        await archive(day)
                    await _drop(connection, day)
                    dropped.append(day)
    return dropped


async def _drop(connection: "Connection", day: OldDay) -> None:
    await connection.execute(day.detach)
    await connection.execute(day.drop)
    if day.table == "trades":
        await connection.execute(_sql.give_up_gaps, day.day)


@asynccontextmanager
async def _alone(connection: "Connection") -> "AsyncIterator[bool]":
    alone = await connection.fetchval(_sql.try_alone, _DROPPING)
    try:
        yield alone
    finally:
        if alone:
            await connection.fetchval(_sql.leave, _DROPPING)
