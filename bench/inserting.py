"""The usual ways to write trades into the keyed table, for bench.write: rows one after the other."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine

from db.instruments import Listed
from db.schema.ticks import trades
from market.trades import Trade

Rows = Sequence[tuple[Any, ...]]
"""Values in the order of _COLUMNS, as drivers want them."""

Insert = Callable[[Rows], Awaitable[None]]
"""Commits rows, and ignores those that are there."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS: Final = (
    "exchange_id",
    "instrument_id",
    "ts",
    "trade_id",
    "price",
    "size",
    "side",
    "received_at",
)
_ONE: Final = f"""
INSERT INTO trades ({", ".join(_COLUMNS)})
VALUES ({", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))}) ON CONFLICT DO NOTHING
"""  # noqa: S608 - our own names


def as_rows(batch: Sequence[Trade], places: Mapping[int, Listed]) -> Rows:
    """Return what is inserted for a batch."""
    return [
        (
            places[trade.instrument_id].exchange_id,
            trade.instrument_id,
            _time(trade.ts),
            trade.trade_id,
            trade.price,
            trade.size,
            trade.side,
            _time(trade.received_at),
        )
        for trade in batch
    ]


@asynccontextmanager
async def with_asyncpg(url: str) -> AsyncIterator[Insert]:
    """Give asyncpg's ``executemany``, which sends a row after the other in one transaction."""
    connection = await asyncpg.connect(url)

    async def write(rows: Rows) -> None:
        await connection.executemany(_ONE, rows)

    try:
        yield write
    finally:
        await connection.close()


@asynccontextmanager
async def with_sqlalchemy(url: str) -> AsyncIterator[Insert]:
    """Give SQLAlchemy Core's ``insert`` of a list of rows."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    statement = postgresql.insert(trades).on_conflict_do_nothing()

    async def write(rows: Rows) -> None:
        async with engine.begin() as connection:
            await connection.execute(statement, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])

    try:
        yield write
    finally:
        await engine.dispose()


def _time(ts: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ts)
