"""Closed minutes with the spread that each closed with: what models are trained on, and score."""

from typing import TYPE_CHECKING

from db.errors import translated
from db.queries import load
from market.bars import Bar
from market.minutes import Minute
from market.times import MINUTE

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

_sql = load("minutes")
_BPS = 10_000.0


async def read(connection: "Connection", instrument_id: int, from_ts: int, to_ts: int) -> list[Minute]:
    """Return the final minutes of an instrument that start in [from_ts, to_ts), in their order."""
    with translated("reading minutes"):
        rows = await connection.fetch(_sql.read, instrument_id, from_ts, to_ts)
    return [_minute(row) for row in rows]


def _minute(row: "Record") -> Minute:
    *values, bid, ask = row
    return Minute(Bar(MINUTE, *values), _spread(bid, ask))


def _spread(bid: float | None, ask: float | None) -> float | None:
    if bid is None or ask is None or bid + ask <= 0.0:
        return None
    return (ask - bid) / ((bid + ask) / 2.0) * _BPS
