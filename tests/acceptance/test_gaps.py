"""Whatever befalls the socket or the ingester, each trade of the venue's tape is stored in the end."""

from typing import Any

import pytest

from db.proofs import read_coverage
from heliograph.roles import INGEST_HISTORY
from market.gaps import TRADES, Cause
from tests.acceptance.house import House
from tests.acceptance.processes import Process, Venue

pytestmark = pytest.mark.slow

SYMBOLS = "BTC/USDT,ETH/USDT"
VENUE = ("binance", "--generate", "--symbols", SYMBOLS, "--rate", "200", "--connections", "0")

LEARNED_SECONDS = 40
"""With trades in them: more than twenty bursts a second or more apart."""

_MUTE_DEPTHS = (
    "SELECT count(*) FROM gaps WHERE kind = 'depths' AND cause = 'mute' AND state = 'unrecoverable'"
)

_FEWEST_SECONDS = """
SELECT coalesce(min(seconds), 0) FROM (
    SELECT count(DISTINCT date_trunc('second', ts)) AS seconds FROM trades GROUP BY instrument_id
) AS each
"""

_HOLES = """
SELECT coalesce(sum(missing), 0) FROM (
    SELECT max(trade_id) - min(trade_id) + 1 - count(*) AS missing FROM trades GROUP BY instrument_id
) AS each
"""


async def _stored(house: House, at_least: int) -> None:
    """Return when every instrument has so many trades more than now, and is proven."""
    fewest = (
        "SELECT coalesce(min(trades), 0) FROM (SELECT count(trade_id) AS trades FROM instruments"
        " LEFT JOIN trades USING (instrument_id) GROUP BY instrument_id) AS each"
    )
    target = await house.value(fewest) + at_least

    async def enough() -> bool:
        return await house.value(fewest) >= target and bool(await house.value("SELECT count(*) FROM proofs"))

    await house.until(enough)


async def _closed(house: House, cause: Cause) -> None:
    """Return when there were gaps of this cause, and none of any is open."""
    standing = "SELECT count(*) FROM gaps WHERE kind = 'trades' AND state <> 'closed'"

    async def healed() -> bool:
        found = await house.value("SELECT count(*) FROM gaps WHERE kind = 'trades' AND cause = $1", cause)
        return bool(found) and not await house.value(standing)

    await house.until(healed)


async def _whole(house: House, venue: Venue) -> None:
    """See that all trades from the first to the last are stored, and that all this time is proven."""
    assert await house.value(_HOLES) == 0
    async with house.connected() as connection:
        rows = await connection.fetch(
            "SELECT instrument_id, min(trades.ts) AS first, max(proofs.to_ts) AS last FROM trades"
            " JOIN proofs USING (instrument_id) WHERE kind = 'trades' AND trades.ts >= proofs.from_ts"
            " GROUP BY instrument_id"
        )
        for instrument_id, first, last in rows:
            found = await read_coverage(connection, [instrument_id], TRADES, first, last)
            assert found[instrument_id].share(first, last) == 1.0
    assert len(rows) == len((await venue.status())["symbols"])


async def test_what_was_missed_while_no_ingester_ran_is_fetched(house: House) -> None:
    venue = await house.venue(*VENUE)
    await house.start(INGEST_HISTORY, **await venue.feed())
    ingester = await house.ingest(venue)
    await _stored(house, 50)
    house.kill(ingester)
    await _played(house, venue, 50)
    ingester = await house.ingest(venue)
    await _closed(house, Cause.DOWNTIME)
    await _stored(house, 50)
    assert [0] == await house.stop(ingester)
    await _closed(house, Cause.DOWNTIME)
    await _whole(house, venue)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"kind": "gap"}, Cause.SEQUENCE),
        ({"kind": "drop", "seconds": 2, "parameters": {"share": 0.2, "feed": "trades"}}, Cause.SEQUENCE),
        ({"kind": "disconnect"}, Cause.RECONNECT),
        ({"kind": "reset"}, Cause.RECONNECT),
    ],
    ids=lambda each: each["kind"] if isinstance(each, dict) else "",
)
async def test_what_a_fault_of_the_venue_hid_is_fetched(
    house: House, fault: dict[str, Any], cause: Cause
) -> None:
    venue = await house.venue(*VENUE)
    await house.start(INGEST_HISTORY, **await venue.feed())
    ingester = await house.ingest(venue)
    await _stored(house, 50)
    (await venue.http.post(f"{venue.rest_url}/sim/faults", json=fault)).raise_for_status()
    await _closed(house, cause)
    await _stored(house, 50)
    assert [0] == await house.stop(ingester)
    await _closed(house, cause)
    await _whole(house, venue)


async def test_a_mute_stream_and_a_mute_book_are_found_and_their_connections_made_again(
    house: House,
) -> None:
    venue = await house.venue(*VENUE)
    await house.start(INGEST_HISTORY, **await venue.feed())
    ingester = await house.ingest(venue)

    async def habit_learned() -> bool:
        return await house.value(_FEWEST_SECONDS) >= LEARNED_SECONDS

    await house.until(habit_learned)
    await _muted(house, venue, ingester, "trades", "stream.mute")
    await _closed(house, Cause.MUTE)
    await _muted(house, venue, ingester, "depths", "book.mute")

    async def on_record() -> bool:
        return bool(await house.value(_MUTE_DEPTHS))

    await house.until(on_record)
    assert [0] == await house.stop(ingester)
    await _closed(house, Cause.MUTE)
    await _whole(house, venue)


async def _muted(house: House, venue: Venue, ingester: Process, feed: str, event: str) -> None:
    """Let a feed of the venue be silent until the ingester says so."""
    mute = {"kind": "mute", "parameters": {"symbol": "BTC/USDT", "feed": feed}}
    (await venue.http.post(f"{venue.rest_url}/sim/faults", json=mute)).raise_for_status()

    async def found() -> bool:
        return f'"event":"{event}"' in ingester.log.read_text()

    await house.until(found)
    (await venue.http.delete(f"{venue.rest_url}/sim/faults")).raise_for_status()


async def _played(house: House, venue: Venue, trades: int) -> None:
    """Return when the venue has played so many trades more, heard or not."""
    tape, symbol = f"{venue.rest_url}/sim/tape", "BTCUSDT"
    after = (await venue.http.get(tape, params={"symbol": symbol})).json()["trades"][-1]["id"]

    async def enough() -> bool:
        answer = await venue.http.get(tape, params={"symbol": symbol, "after": after})
        return len(answer.json()["trades"]) >= trades

    await house.until(enough)
