"""Bars of a healed range are rebuilt, as if nothing had been missing."""

from collections import Counter

from db.connections import connected
from market.times import SECOND, floor
from tests.ingest.history.conftest import Healer
from tests.ingest.history.past import BEGAN, tape
from tests.workers.market import apply_all, claim_all, new_backfill, new_claimer

BARS = "SELECT start, trades, source FROM bars WHERE interval_seconds = 1 AND start < $1 ORDER BY start"


async def test_the_bars_of_a_healed_range_hold_what_was_missing(healer: Healer) -> None:
    place = healer.place
    place.past.trades = tape(place.listed.instrument_id, 400)
    missing = range(12, 29)
    await place.store(*(n for n in range(1, 401) if n not in missing))
    async with connected(place.url, "test worker") as connection:
        claimer = new_claimer()
        await claim_all(claimer, connection)
        await place.open(11, 29)
        await healer.heal()
        while await new_backfill(place.url).repair(connection):
            await apply_all(claimer, connection)
    end = BEGAN + 3 * SECOND
    whole = Counter(floor(trade.ts, SECOND) for trade in place.trades if trade.ts < end)
    rows = await place.connection.fetch(BARS, end)
    assert dict(whole) == {row["start"]: row["trades"] for row in rows}
    assert {"live", "backfill"} == {row["source"] for row in rows}
