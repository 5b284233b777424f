"""Dirty intervals, claimed by the backfill pool with SKIP LOCKED."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from db.errors import translated
from db.outcomes import bar_columns
from db.queries import load
from market.bars import Bar

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("dirty")


class Dirty(msgspec.Struct, frozen=True):
    """Whole bars of one interval (seconds) to compute again; [from_ts, to_ts) in microseconds."""

    dirty_id: int
    instrument_id: int
    exchange_id: int
    interval_seconds: int
    from_ts: int
    to_ts: int


async def lock_ready(connection: "Connection", at_most: int) -> list[Dirty]:
    """Lock dirty intervals that the live fold has left behind and nobody works on, newest first."""
    with translated("claiming dirty intervals"):
        return [Dirty(*row) for row in await connection.fetch(_sql.lock_ready, at_most)]


async def replace_bars(connection: "Connection", dirty: Dirty, bars: Sequence[Bar]) -> None:
    """Put ``bars`` in the place of those that stand in the interval."""
    with translated("replacing bars"):
        await connection.execute(
            _sql.clear_bars, dirty.instrument_id, dirty.interval_seconds, dirty.from_ts, dirty.to_ts
        )
        await connection.execute(
            _sql.add_rebuilt_bars, *bar_columns([(dirty.instrument_id, bar) for bar in bars])
        )


async def finish(connection: "Connection", dirty: Sequence[Dirty]) -> None:
    """Forget intervals that were computed again."""
    with translated("finishing dirty intervals"):
        await connection.execute(_sql.done, [each.dirty_id for each in dirty])
