"""A migrated database with listed instruments, and the trades that are to be stored there."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench import tapes
from db.connections import connected
from db.instruments import Listed, register
from db.migrating import migrate
from db.partitions import day_of, ensure_days
from db.settings import DatabaseSettings
from market.times import DAY
from market.trades import Trade


class Market(NamedTuple):
    """Where, and what. ``places`` are by instrument_id; ``tape`` is in order of time."""

    url: str
    places: Mapping[int, Listed]
    tape: Sequence[Trade]
    source: str


async def opened(url: str, ticks: int) -> Market:
    """Make the empty database at ``url`` ready for ``ticks`` trades."""
    recorded = tapes.recorded()
    await migrate(url, DatabaseSettings().shards)
    async with connected(url, "bench") as connection:
        listed = await register(connection, tapes.INSTRUMENTS)
        places = {each.instrument_id: each for each in listed.values()}
        tape = tapes.laid(recorded, list(places), ticks)
        days = range(tape[0].ts // DAY, tape[-1].ts // DAY + 1)
        await ensure_days(connection, [day_of(day * DAY) for day in days])
    return Market(url, places, tape, f"{ticks:,} ticks of {recorded.source}, laid on {len(places)} tapes")
