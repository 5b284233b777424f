"""Rows of the tape, of signals, and of jobs, for tests: as ingest and workers write them."""

from typing import TYPE_CHECKING

from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed

T = 1_733_270_400 * SECOND
"""2024-12-04T00:00:00Z."""


async def unpartitioned(connection: "Connection") -> None:
    """Let ticks of any day be written."""
    for noun in ("trades", "quotes", "depths"):
        await connection.execute(f"CREATE TABLE IF NOT EXISTS {noun}_all PARTITION OF {noun} DEFAULT")


async def add_trades(connection: "Connection", listed: "Listed", *places: tuple[int, int]) -> None:
    await connection.executemany(
        "INSERT INTO trades VALUES ($1, -1, $2, $3, $4, 65000.1, 1e-8, $3)",
        [(listed.exchange_id, listed.instrument_id, ts, trade_id) for ts, trade_id in places],
    )


async def add_quotes(connection: "Connection", listed: "Listed", *places: tuple[int, int]) -> None:
    """Write quotes whose ask has no size."""
    await connection.executemany(
        "INSERT INTO quotes VALUES ($1, $2, $3, $4, 10.5, 2, 10.75, 'NaN', $3)",
        [(listed.exchange_id, listed.instrument_id, ts, update_id) for ts, update_id in places],
    )


async def add_depths(connection: "Connection", listed: "Listed", *places: tuple[int, int]) -> None:
    await connection.executemany(
        "INSERT INTO depths VALUES ($1, $2, $3, $4, '{10.5,10}', '{2,1e-8}', '{10.75}', '{3}', $3)",
        [(listed.exchange_id, listed.instrument_id, ts, update_id) for ts, update_id in places],
    )


async def add_signals(
    connection: "Connection", listed: "Listed", *told: tuple[str, int], strength: float = 0.5
) -> None:
    await connection.executemany(
        "INSERT INTO signals VALUES ($1, $2, 1, $3, 'up', $4, 1, 10.5, '{\"rsi\": 71.25}', $3, $3, $3, $3)",
        [(listed.instrument_id, kind, ts, strength) for kind, ts in told],
    )


async def add_bars(connection: "Connection", listed: "Listed", *starts: int) -> None:
    """Write bars of a minute."""
    await connection.executemany(
        "INSERT INTO bars VALUES ($1, 60, $2, 1, 2, 0.5, 1.5, 10, 15, 6, 4, 3, 'live')",
        [(listed.instrument_id, start) for start in starts],
    )
