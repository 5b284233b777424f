"""Several ingesters share the feeds of one venue under load, and what moves between them loses nothing."""

import json
import subprocess
import sys

import pytest

from heliograph.roles import INGEST_HISTORY
from tests.acceptance.house import House
from tests.acceptance.processes import ROOT, Process, Venue

pytestmark = pytest.mark.slow

SYMBOLS = ("BTC/USDT", "DOGE/USDT", "ETH/USDT", "SOL/USDT")
VENUE = ("binance", "--generate", "--symbols", ",".join(SYMBOLS), "--rate", "2000", "--connections", "0")

_STORED = """
SELECT array_agg(trade_id ORDER BY trade_id) FROM trades JOIN instruments USING (instrument_id)
WHERE venue_symbol = $1
"""

_PROVEN = """
SELECT min(from_ts), max(to_ts) FROM proofs JOIN instruments USING (instrument_id)
WHERE venue_symbol = $1 AND kind = 'trades'
"""


async def test_the_feeds_of_a_killed_ingester_move_and_nothing_is_lost(house: House) -> None:
    venue = await house.venue(*VENUE)
    await house.start(INGEST_HISTORY)
    killed, other = await _pair(house, venue)
    await _more(house)
    house.kill(killed)
    await _owned(house, other, 4)
    await _more(house)
    await _complete(house, venue, other)


async def test_feeds_that_move_to_a_newcomer_and_back_lose_nothing(house: House) -> None:
    venue = await house.venue(*VENUE)
    await house.start(INGEST_HISTORY)
    first, second = await _pair(house, venue)
    await _more(house)
    assert [0] == await house.stop(first)
    await _owned(house, second, 4)
    await _more(house)
    third = await house.ingest(venue)
    await _owned(house, second, 2)
    await _owned(house, third, 2)
    await _more(house)
    await _complete(house, venue, second, third)


async def test_feeds_come_and_go_by_command_and_no_other_is_disturbed(house: House) -> None:
    venue = await house.venue(*VENUE)
    await house.start(INGEST_HISTORY)
    ingester = await house.ingest(venue, HELIOGRAPH_INGEST_FEEDS="[]")
    status = await venue.status()
    urls = ("--stream-url", venue.stream_url, "--rest-url", venue.rest_url)
    assert {"added"} == _command(house, "add", *SYMBOLS[:3], *urls)
    await _owned(house, ingester, 3)
    await _more(house)
    assert {"added"} == _command(house, "add", SYMBOLS[3], *urls)
    await _owned(house, ingester, 4)
    await _more(house)
    assert {"paused"} == _command(house, "pause", SYMBOLS[1])
    assert {"removed"} == _command(house, "remove", SYMBOLS[3])
    await _owned(house, ingester, 2)
    assert {"resumed"} == _command(house, "resume", SYMBOLS[1])
    await _owned(house, ingester, 3)
    await _more(house)
    await _complete(house, venue, ingester, missing=SYMBOLS[3])
    undisturbed = [symbol for symbol in status["symbols"] if symbol not in {SYMBOLS[1], SYMBOLS[3]}]
    assert 0 == await house.value(
        "SELECT count(*) FROM gaps JOIN instruments USING (instrument_id)"
        " WHERE kind = 'trades' AND symbol = ANY($1)",
        undisturbed,
    )


async def _pair(house: House, venue: Venue) -> tuple[Process, Process]:
    """Start two ingesters, and return them when each has its half."""
    first, second = await house.ingest(venue), await house.ingest(venue)
    for each in (first, second):
        await _owned(house, each, 2)
    return first, second


async def _owned(house: House, process: Process, number: int) -> None:
    async def so_many() -> bool:
        rows = {row.pid: row.counters for row in await house.rows("ingest")}
        return process.pid in rows and rows[process.pid]["claims"]["owned"] == number

    await house.until(so_many)


async def _more(house: House) -> None:
    """Return when there are a good many trades more."""
    target = await house.value("SELECT count(*) FROM trades") + 2000

    async def came() -> bool:
        return await house.value("SELECT count(*) FROM trades") >= target

    await house.until(came)


async def _complete(house: House, venue: Venue, *ingesters: Process, missing: str = "") -> None:
    """End, and see that of each symbol's tape everything is stored from the first trade to the last."""
    assert {0} == set(await house.stop(*ingesters))

    async def healed() -> bool:
        return not await house.value(
            "SELECT count(*) FROM gaps JOIN instruments USING (instrument_id)"
            " WHERE kind = 'trades' AND gaps.state <> 'closed' AND symbol <> $1",
            missing,
        )

    await house.until(healed)
    status = await venue.status()
    for symbol, venue_symbol in zip(status["symbols"], status["venue_symbols"], strict=True):
        if symbol != missing:
            assert await _lost(house, venue, venue_symbol) == [], symbol


async def _lost(house: House, venue: Venue, venue_symbol: str) -> list[int]:
    """Return what the venue's own tape has from the first proof to the end of the last, and we have not."""
    answer = await venue.http.get(f"{venue.rest_url}/sim/tape", params={"symbol": venue_symbol})
    async with house.connected() as connection:
        stored = set(await connection.fetchval(_STORED, venue_symbol))
        [(first, end)] = await connection.fetch(_PROVEN, venue_symbol)
    proven = [trade["id"] for trade in answer.json()["trades"] if first <= _told(trade["ts"]) < end]
    assert proven
    return [number for number in proven if number not in stored]


def _told(ts: int) -> int:
    """Return a time as Binance tells it: in milliseconds."""
    return ts - ts % 1000


def _command(house: House, verb: str, *arguments: str) -> set[str]:
    """Run ``heliograph feeds VERB binance``, and return what became of the feeds."""
    done = subprocess.run(
        [sys.executable, "-m", "heliograph", "feeds", verb, "binance", *arguments, "--json"],
        cwd=ROOT,
        env=house._environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return {each["change"] for each in json.loads(done.stdout)}
