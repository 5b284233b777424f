"""Minutes in a real database, with the quotes that they closed with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from db import outcomes
from db.instruments import Listed, register
from db.partitions import day_of, ensure_days
from market.instruments import spot
from market.minutes import Minute
from market.times import MINUTE, SECOND

if TYPE_CHECKING:
    from db.connections import Connection

_QUOTES = """
INSERT INTO quotes SELECT $1, $2, ts, 1, bid, 1, ask, 1, ts
FROM unnest($3::timestamptz[], $4::float8[], $5::float8[]) AS quote (ts, bid, ask)
"""


async def listed(connection: "Connection") -> Listed:
    """List an instrument."""
    (one,) = (await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])).values()
    return one


async def store(connection: "Connection", instrument: Listed, minutes: Sequence[Minute]) -> None:
    """Store the bars of minutes, and a quote in each that has a spread."""
    await outcomes.add_bars(
        connection, [(instrument.instrument_id, minute.bar) for minute in minutes], "live"
    )
    await ensure_days(connection, sorted({day_of(minute.bar.start) for minute in minutes}))
    quoted = [minute for minute in minutes if minute.spread_bps is not None]
    await connection.execute(
        _QUOTES,
        instrument.exchange_id,
        instrument.instrument_id,
        [minute.bar.end - SECOND for minute in quoted],
        [_bid(minute) for minute in quoted],
        [2 * minute.bar.close - _bid(minute) for minute in quoted],
    )


def span(minutes: Sequence[Minute]) -> tuple[int, int]:
    """Return from when to when minutes reach."""
    return minutes[0].bar.start, minutes[-1].bar.start + MINUTE


def _bid(minute: Minute) -> float:
    assert minute.spread_bps is not None
    return minute.bar.close * (1 - minute.spread_bps / 20_000)
