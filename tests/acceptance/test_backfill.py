"""A past is backfilled while live runs, whoever is killed meanwhile: what is stored is the venue's tape."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from db.proofs import read_coverage
from heliograph.roles import INGEST_HISTORY, WORKER_BACKFILL, WORKER_LIVE
from market.gaps import TRADES
from market.times import SECOND, from_iso, to_iso
from runtime.clock import now
from tests.acceptance.house import House
from tests.acceptance.processes import Process, Venue

pytestmark = pytest.mark.slow

PAST = int(os.environ.get("HELIOGRAPH_TEST_PAST", "30000"))
"""Trades to backfill. With 2,000,000 it takes a quarter of an hour, at what Binance lets one address ask."""

PAST_RATE = max(50, PAST // 3000)
WITHIN_SECONDS = 60 + PAST / 500
VENUE = (
    "binance", "--generate", "--symbols", "BTC/USDT", "--rate", "200", "--connections", "0",
    "--past", str(PAST), "--past-rate", str(PAST_RATE),
)  # fmt: skip
PAGE = 100_000

_BARS = """
SELECT count(*) FROM (
    SELECT date_trunc('second', ts) AS start, count(*) AS trades
    FROM trades WHERE ts >= $1 AND ts < $2 GROUP BY 1
) AS right_ FULL JOIN (
    SELECT start, trades FROM bars WHERE interval_seconds = 1 AND start >= $1 AND start < $2
) AS told USING (start) WHERE told.trades IS DISTINCT FROM right_.trades
"""


async def test_a_backfill_that_is_killed_again_and_again_stores_the_venues_tape(
    house: House, record_property: Callable[[str, object], None]
) -> None:
    began = time.monotonic()
    venue = await house.venue(*VENUE)
    own = {"HELIOGRAPH_INGEST_RECENT_SECONDS": "0", "HELIOGRAPH_HISTORY_LEASE_SECONDS": "10"}
    feed = {**await venue.feed(), **own}
    history, backfiller, _ = await house.start(INGEST_HISTORY, WORKER_BACKFILL, WORKER_LIVE, **feed)
    ingester = await house.ingest(venue, **feed)
    await _trades(house, 50)
    since = now() - (PAST // PAST_RATE + 100) * SECOND
    command = house.command("backfill", "binance", "BTC/USDT", "--from", to_iso(since), "--json")
    await house.until(lambda: _fetched(house, PAST // 8), WITHIN_SECONDS)
    job_id = await house.value("SELECT max(job_id) FROM jobs WHERE kind = 'backfill'")
    command.kill()
    command = house.command("jobs", "watch", str(job_id), "--json")
    house.kill(history)
    await house.start(INGEST_HISTORY, **feed)
    await house.until(lambda: _fetched(house, PAST // 4), WITHIN_SECONDS)
    house.kill(backfiller)
    await house.start(WORKER_BACKFILL, **feed)
    await house.until(lambda: _fetched(house, PAST // 2), WITHIN_SECONDS)
    house.restart_postgres()
    told = await _told(house, command)
    assert [0] == await house.stop(ingester)
    await house.folded()
    (changed,) = told[-1]["coverage"]
    assert ([], []) == (changed["missing_now"][1:], changed["lacking"])
    await _assert_as_the_tape(house, venue, told)
    verifying = house.command("verify", "--from", to_iso(since))
    await house.until(lambda: _ended(verifying), WITHIN_SECONDS)
    assert verifying.status == 0, verifying.log.read_text()
    record_property("rows", told[-2]["fetched"])
    record_property("seconds", round(time.monotonic() - began, 1))


async def _assert_as_the_tape(house: House, venue: Venue, told: list[dict[str, Any]]) -> None:
    """See that what was asked for is stored as the venue has it, proven, and told in bars."""
    asked = [from_iso(ts) for ts in (told[-1]["coverage"][0]["missing_before"][0])]
    from_ts, to_ts = asked
    async with house.connected() as connection:
        rows = await connection.fetch(
            "SELECT trade_id, ts, price, size FROM trades WHERE ts >= $1 AND ts < $2 ORDER BY ts, trade_id",
            from_ts,
            to_ts,
        )
        instrument_id = await connection.fetchval("SELECT instrument_id FROM instruments")
        covered = await read_coverage(connection, [instrument_id], TRADES, from_ts, to_ts)
        wrong = await connection.fetchval(_BARS, -(-from_ts // SECOND) * SECOND, to_ts // SECOND * SECOND)
    tape = [
        (each["id"], each["ts"], float(each["price"]), float(each["size"]))
        for each in await _tape(venue)
        if from_ts <= each["ts"] < to_ts
    ]
    assert len(tape) > PAST // 2
    assert tape == [tuple(row) for row in rows]
    assert 1.0 == covered[instrument_id].share(from_ts, to_ts)
    assert 0 == wrong


async def _tape(venue: Venue) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = {"after": found[-1]["id"]} if found else {}
        wanted = {"symbol": "BTCUSDT", "limit": PAGE, **after}
        page = (await venue.http.get(f"{venue.rest_url}/sim/tape", params=wanted, timeout=60)).json()
        if not page["trades"]:
            return found
        found += page["trades"]


async def _told(house: House, command: Process) -> list[dict[str, Any]]:
    """Return the lines of a command that ended well."""
    await house.until(lambda: _ended(command), WITHIN_SECONDS)
    lines = command.log.read_text().splitlines()
    assert command.status == 0, lines[-5:]
    return [json.loads(line) for line in lines if line.startswith("{")]


async def _ended(command: Process) -> bool:
    return command.status is not None


async def _fetched(house: House, rows: int) -> bool:
    return await house.value("SELECT coalesce(sum(fetched), 0) FROM chunks WHERE priority = 1") >= rows


async def _trades(house: House, number: int) -> None:
    async def enough() -> bool:
        return await house.value("SELECT count(*) FROM trades") >= number

    await house.until(enough)
