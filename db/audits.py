"""Whole tapes and their bars, read to be checked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from db.errors import translated
from db.queries import load
from market.coverage import Interval

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("audits")


class StoredTrade(NamedTuple):
    """A trade as it is stored: ``ts`` in microseconds, ``side`` 1 where the taker bought, -1 sold."""

    trade_id: int
    ts: int
    price: float
    size: float
    side: int


class StoredBar(NamedTuple):
    """A final bar as it is stored: ``start`` in microseconds."""

    interval_seconds: int
    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int


class Entry(NamedTuple):
    """An entry of an instrument's log: ``about`` a kind or an interval, at an event time."""

    family: str
    offset: int
    revises: int | None
    about: str
    ts: int
    withdrawn: bool


class Unsettled(NamedTuple):
    """How much is still under way."""

    gaps: int
    batches: int
    dirty: int


async def trades_of(connection: "Connection", exchange_id: int, instrument_id: int) -> list[StoredTrade]:
    """Return every trade of an instrument, in the order of its tape."""
    with translated("reading a tape"):
        rows = await connection.fetch(_sql.trades_of, exchange_id, instrument_id)
    return [StoredTrade(*row) for row in rows]


async def bars_of(connection: "Connection", instrument_id: int) -> list[StoredBar]:
    """Return every final bar of an instrument, by interval and start."""
    with translated("reading bars"):
        return [StoredBar(*row) for row in await connection.fetch(_sql.bars_of, instrument_id)]


async def log_of(connection: "Connection", instrument_id: int) -> list[Entry]:
    """Return the whole log of an instrument, each family in its order."""
    with translated("reading a log"):
        return [Entry(*row) for row in await connection.fetch(_sql.log_of, instrument_id)]


async def signals_of(connection: "Connection", instrument_id: int) -> list[tuple[str, int]]:
    """Return kind and time of every signal of an instrument."""
    with translated("reading signals"):
        rows = await connection.fetch(_sql.signals_of, instrument_id)
    return [(row["kind"], row["ts"]) for row in rows]


async def dirty_of(connection: "Connection", instrument_id: int) -> Sequence[Interval]:
    """Return what of an instrument waits to be computed again."""
    with translated("reading dirty intervals"):
        return [Interval(*row) for row in await connection.fetch(_sql.dirty_of, instrument_id)]


async def unsettled(connection: "Connection") -> Unsettled:
    """Return how much is still under way."""
    with translated("reading what is under way"):
        row = await connection.fetchrow(_sql.unsettled)
    return Unsettled(*(row or (0, 0, 0)))


async def published(connection: "Connection") -> dict[tuple[int, str], list[int]]:
    """Return every offset of the log, of each instrument and family in their order."""
    with translated("reading the log"):
        rows = await connection.fetch(_sql.published)
    return {(instrument_id, family): offsets for instrument_id, family, offsets in rows}
