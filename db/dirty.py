"""Dirty intervals, claimed by the backfill pool with SKIP LOCKED, an hour of one tape at a time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from db.claims import decode_head
from db.errors import translated
from db.outcomes import bar_columns
from db.queries import load
from market.bars import Bar
from market.times import HOUR, floor

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("dirty")


class Dirty(msgspec.Struct, frozen=True):
    """A row: whole bars of one interval (seconds) to compute again; [from_ts, to_ts) in microseconds."""

    dirty_id: int
    interval_seconds: int
    from_ts: int
    to_ts: int


class Stretch(msgspec.Struct, frozen=True):
    """Whole bars of one interval (seconds) of an instrument, to be computed again together."""

    instrument_id: int
    exchange_id: int
    interval_seconds: int
    from_ts: int
    to_ts: int


class Hour(msgspec.Struct, frozen=True):
    """An hour of an instrument's tape from ``from_ts`` on, and the rows, locked, that ask for bars of it."""

    instrument_id: int
    exchange_id: int
    from_ts: int
    rows: Sequence[Dirty]

    def stretches(self) -> list[Stretch]:
        """Return what the rows ask for within the hour, everything once, in order of interval and time."""
        return [
            Stretch(self.instrument_id, self.exchange_id, seconds, from_ts, to_ts)
            for seconds in sorted({row.interval_seconds for row in self.rows})
            for from_ts, to_ts in _joined(self._asked(seconds))
        ]

    def _asked(self, seconds: int) -> Iterable[tuple[int, int]]:
        for row in self.rows:
            if row.interval_seconds == seconds:
                yield max(row.from_ts, self.from_ts), row.to_ts


async def settled(connection: "Connection") -> dict[int, int]:
    """Return, for the instruments that have dirty intervals, until when live leaves bars to repairs."""
    with translated("reading how far live is"):
        rows = await connection.fetch(_sql.heads)
    return {
        instrument_id: cursor.settled_ts
        for row in rows
        for instrument_id, cursor in decode_head(row["head"]).cursors.items()
    }


async def lock_hour(connection: "Connection", settled_ts: Mapping[int, int]) -> Hour | None:
    """Lock the newest dirty interval that nobody works on, with all others in the same hour of its tape.

    Only what live has left by ``settled_ts`` of its instrument; None when there is nothing.
    """
    with translated("claiming dirty intervals"):
        newest = await connection.fetchrow(_sql.lock_newest, list(settled_ts), list(settled_ts.values()))
        if newest is None:
            return None
        instrument_id, exchange_id, to_ts = newest
        began = floor(to_ts - 1, HOUR)
        ended = min(began + HOUR, settled_ts[instrument_id])
        rows = await connection.fetch(_sql.lock_between, instrument_id, began, ended)
    return Hour(instrument_id, exchange_id, began, [Dirty(*row) for row in rows])


async def replace_bars(connection: "Connection", stretch: Stretch, bars: Sequence[Bar]) -> None:
    """Put ``bars`` in the place of those that stand there."""
    with translated("replacing bars"):
        await connection.execute(
            _sql.clear_bars, stretch.instrument_id, stretch.interval_seconds, stretch.from_ts, stretch.to_ts
        )
        await connection.execute(
            _sql.add_rebuilt_bars, *bar_columns([(stretch.instrument_id, bar) for bar in bars])
        )


async def finish(connection: "Connection", hour: Hour) -> None:
    """Forget what was computed again; of a row that began earlier, that part is left."""
    with translated("finishing dirty intervals"):
        await connection.execute(
            _sql.done, [row.dirty_id for row in hour.rows if row.from_ts >= hour.from_ts]
        )
        await connection.execute(
            _sql.shorten, [row.dirty_id for row in hour.rows if row.from_ts < hour.from_ts], hour.from_ts
        )


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the union of half-open ranges, in order."""
    joined: list[tuple[int, int]] = []
    for from_ts, to_ts in sorted(ranges):
        if joined and from_ts <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(to_ts, joined[-1][1])
        else:
            joined.append((from_ts, to_ts))
    return joined
