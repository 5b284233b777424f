"""Trades, bars, and signals read out in constant memory, as they stood at one moment; the latter put back."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from db.errors import translated
from db.instruments import Listed
from db.queries import load

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

_sql = load("exports")

NOUNS: Final = ("trades", "quotes", "depths", "bars", "signals")
BATCH_ROWS: Final = 10_000


async def first(connection: "Connection", noun: str, listed: Listed, from_ts: int, to_ts: int) -> int | None:
    """Return the time of the first row in [from_ts, to_ts), microseconds, if there is one."""
    statement = getattr(_sql, f"first_{noun}")
    with translated("looking for the next day"):
        found: int | None = await connection.fetchval(
            statement, listed.exchange_id, listed.instrument_id, from_ts, to_ts
        )
    return found


async def batches(
    connection: "Connection", noun: str, listed: Listed, from_ts: int, to_ts: int
) -> "AsyncIterator[Sequence[Record]]":
    """Yield the rows of [from_ts, to_ts), microseconds, in order, some at a time; all are of one moment."""
    whose = listed.exchange_id, listed.instrument_id
    with translated("reading rows to export"):
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await connection.cursor(getattr(_sql, noun), *whose, from_ts, to_ts)
            while rows := await cursor.fetch(BATCH_ROWS):
                yield rows


async def restore(
    connection: "Connection", noun: str, instrument_id: int, columns: Sequence[Sequence[Any]]
) -> int:
    """Put back what is not there, given as columns as ``batches`` has them; return how many rows."""
    statements = [_sql.restore_bars, _sql.restore_hours] if noun == "bars" else [_sql.restore_signals]
    with translated(f"restoring {noun}"):
        async with connection.transaction():
            return sum([len(await connection.fetch(each, instrument_id, *columns)) for each in statements])
