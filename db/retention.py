"""Whole days of ticks that are older than they are to be kept, dropped without holding anybody up."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import TYPE_CHECKING, Final

import msgspec

from db.audit import note
from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncpg import Record

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


class DetachedDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day that was detached, and that nobody writes any more: what it holds now is all that it held."""

    table: str
    name: str
    day: date
    rows: int
    bytes: int
    stand_in: str
    leave: str
    drop: str

    @property
    def dropped(self) -> OldDay:
        """Return the day under the name that it had."""
        name = f"{self.table}_{self.day:%Y%m%d}"
        return OldDay(table=self.table, name=name, day=self.day, rows=self.rows, bytes=self.bytes, held="")


async def due(connection: "Connection", before: Mapping[str, date]) -> list[OldDay]:
    """Return the days of each table before a day."""
    with translated("looking for old days"):
        return [
            _old_day(row)
            for table, day in before.items()
            for row in await connection.fetch(_sql.days, table, day, None)
        ]


async def drop(
    connection: "Connection",
    before: Mapping[str, date],
    archive: Callable[[DetachedDay], Awaitable[None]] | None = None,
) -> Sequence[OldDay] | None:
    """Drop these days, but for those that are held, once each was archived; return which.

    Each is detached first, in no transaction, so that nobody waits who reads or writes other days, and none
    is detached before the one before it is gone. What proves such a day, and its gaps, stay on record. None,
    and nothing is done, while somebody else does it.
    """
    dropped: list[OldDay] = []
    async with _alone(connection) as alone:
        if not alone:
            return None
        for table, until in before.items():
            dropped += await _drop_detached(connection, table, until, archive)
        for day in await due(connection, before):
            if await _detach(connection, day, before[day.table]):
                dropped += await _drop_detached(connection, day.table, before[day.table], archive)
    return dropped


@asynccontextmanager
async def stand_in(connection: "Connection", day: DetachedDay) -> "AsyncIterator[None]":
    """Have this connection see nothing in a table but a day that was detached from it."""
    with translated("reading a day that was detached"):
        await connection.execute(day.stand_in)
    try:
        yield
    finally:
        with translated("reading a day that was detached"):
            await connection.execute(day.leave)


async def reaches_dropped(
    connection: "Connection", exchange_id: int, instrument_id: int, from_ts: int, to_ts: int
) -> bool:
    """Tell whether [from_ts, to_ts) of a tape, or the ticks just before it, lie in days that were dropped.

    A day is on record as dropped before its ticks are gone: asked after a tape was read, it is true of that.
    """
    with translated("looking for days that were dropped"):
        reaches: bool = await connection.fetchval(
            _sql.reaches_dropped, exchange_id, instrument_id, from_ts, to_ts
        )
    return reaches


def _old_day(row: "Record") -> OldDay:
    return OldDay(**{name: row[name] for name in OldDay.__struct_fields__})


async def _detach(connection: "Connection", day: OldDay, until: date) -> bool:
    """Detach a day if it is held by nothing as of now; tell whether it was."""
    with translated("detaching an old day"):
        row = await connection.fetchrow(_sql.days, day.table, until, day.day)
        if row is None or row["held"]:
            return False
        await connection.execute(row["record"])
        await connection.execute(row["mark"])
        await connection.execute(row["detach"])
    return True


async def _drop_detached(
    connection: "Connection",
    table: str,
    until: date,
    archive: Callable[[DetachedDay], Awaitable[None]] | None,
) -> list[OldDay]:
    with translated("renaming old days"):
        for row in await connection.fetch(_sql.detached, table, until):
            if row["name"] != row["renamed"]:
                await connection.execute(row["rename"])
        rows = await connection.fetch(_sql.detached, table, until)
    names = set(DetachedDay.__struct_fields__) - {"table"}
    days = [DetachedDay(table=table, **{name: row[name] for name in names}) for row in rows]
    for day in days:
        if archive is not None:
            await archive(day)
        with translated("dropping old days"):
            async with connection.transaction():
                await connection.execute(day.drop)
                was = {"day": day.day.isoformat(), "rows": day.rows, "bytes": day.bytes}
                await note(connection, table, "drop", before=was)
            if table == "trades":
                await connection.execute(_sql.give_up_gaps, day.day)
    return [day.dropped for day in days]


@asynccontextmanager
async def _alone(connection: "Connection") -> "AsyncIterator[bool]":
    with translated("dropping old days"):
        alone = await connection.fetchval(_sql.try_alone, _DROPPING)
    try:
        yield alone
    finally:
        if alone:
            with translated("dropping old days"):
                await connection.fetchval(_sql.leave, _DROPPING)
