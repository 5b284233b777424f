"""Whether a silent stream is mute is told by its gap, once it is settled, and by what is stored."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from db import gaps
from db.connections import connected
from db.instruments import Listed, register
from db.partitions import day_of, ensure_days
from ingest.mutes import MuteWatch
from market.gaps import Cause, Finding, GapState, Silent
from market.instruments import spot
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

pytestmark = pytest.mark.slow

MOMENT = 1_700_000_000 * SECOND
SOL = spot("kraken", "SOL", "USD", "SOL/USD")
LAST = 59
DEADLINE_SECONDS = 30


class Stream:
    """One connection with one stream that fell silent after its trade 59, and what it was told.

    Its session began before what history may have stored since.
    """

    def __init__(self, instrument_id: int) -> None:
        self.instrument_id = instrument_id
        self.silent = True
        self.since = MOMENT
        self.after_id: int | None = LAST
        self.told = ""
        self.mute_book = False
        self.stopping = asyncio.Event()

    def mute_books(self) -> list[int]:
        return [self.instrument_id] if self.mute_book else []

    def muted(self) -> list[Silent]:
        return [Silent(self.instrument_id, self.after_id, self.since, MOMENT + SECOND)] if self.silent else []

    def was_quiet(self, instrument_id: int, after_id: int | None) -> None:
        self._end(f"quiet {instrument_id == self.instrument_id} {after_id}")

    async def renew(self, reason: str) -> None:
        self._end(reason)

    def _end(self, told: str) -> None:
        self.silent, self.told = False, told
        self.stopping.set()


class Bench:
    def __init__(self, url: str, connection: "Connection", listed: Listed) -> None:
        self.connection = connection
        self.listed = listed
        self.stream = Stream(listed.instrument_id)
        self._watch = MuteWatch(url, lambda: [self.stream], {listed.instrument_id: listed}, 0.01)

    async def gap(self, state: GapState, to_ts: int = MOMENT + SECOND, after_id: int | None = LAST) -> None:
        found = Finding(
            instrument_id=self.listed.instrument_id,
            kind="trades",
            cause=Cause.MUTE,
            state=state,
            from_ts=MOMENT,
            to_ts=to_ts,
            after_id=after_id,
        )
        await gaps.record(self.connection, [found])

    async def trade(self, number: int) -> None:
        await self.connection.execute(
            "INSERT INTO trades VALUES ($1, 1, $2, $3, $4, 1, 1, $3)",
            self.listed.exchange_id,
            self.listed.instrument_id,
            MOMENT + number,
            number,
        )

    async def run(self) -> str:
        """Return what the stream was told."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self._watch.run(self.stream.stopping)
        return self.stream.told


@pytest.fixture
async def bench(postgres_url: str) -> AsyncIterator[Bench]:
    async with connected(postgres_url, "test") as connection:
        listed = await register(connection, [SOL])
        await ensure_days(connection, [day_of(MOMENT)])
        bench = Bench(postgres_url, connection, listed[SOL.key])
        await bench.trade(LAST)
        yield bench


async def test_a_stream_whose_venue_had_nothing_was_quiet(bench: Bench) -> None:
    await bench.gap(GapState.OPEN)
    await bench.gap(GapState.CLOSED)
    assert await bench.run() == "quiet True 59"


async def test_a_stream_whose_venue_has_more_is_mute_and_its_connection_made_again(bench: Bench) -> None:
    await bench.gap(GapState.OPEN)
    await bench.trade(LAST + 1)
    assert await bench.run() == "kraken:SOL/USD was mute: its venue has trades that did not come"


async def test_what_history_stored_of_the_time_before_a_session_makes_no_stream_mute(bench: Bench) -> None:
    await bench.gap(GapState.OPEN)
    await bench.trade(LAST + 1)
    await bench.gap(GapState.CLOSED)
    bench.stream.since = MOMENT + LAST + 2
    assert await bench.run() == "quiet True 59"


async def test_a_settled_gap_that_does_not_reach_the_silence_says_nothing_of_it(bench: Bench) -> None:
    for state in (GapState.OPEN, GapState.CLOSED):
        await bench.gap(state, MOMENT + 100)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(bench.run())
        await _until_asked(bench.connection)
        assert not running.done()
        await bench.gap(GapState.UNRECOVERABLE)
    assert bench.stream.told == "quiet True 59"


async def test_a_stream_that_never_spoke_and_whose_venue_has_nothing_was_quiet(bench: Bench) -> None:
    await bench.connection.execute("DELETE FROM trades")
    bench.stream.after_id = None
    await bench.gap(GapState.UNRECOVERABLE, after_id=None)
    assert await bench.run() == "quiet True None"


async def test_a_stream_that_never_spoke_and_whose_venue_has_trades_is_mute(bench: Bench) -> None:
    bench.stream.after_id = None
    await bench.gap(GapState.UNRECOVERABLE, after_id=None)
    assert await bench.run() == "kraken:SOL/USD was mute: its venue has trades that did not come"


async def test_the_connection_of_a_mute_book_is_made_again_whatever_history_says(bench: Bench) -> None:
    bench.stream.silent, bench.stream.mute_book = False, True
    assert await bench.run() == "the book of kraken:SOL/USD was mute: it traded, and its book did not change"


async def test_nothing_is_said_before_the_gap_is_settled(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(bench.run())
        await _until_asked(bench.connection)
        assert not running.done()
        await bench.gap(GapState.OPEN)
        await bench.gap(GapState.CLOSED)


async def _until_asked(connection: "Connection") -> None:
    """Wait until the watch has been there twice."""
    seen: set[int] = set()
    while len(seen) < 2:
        rows = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'heliograph ingest mutes'"
        )
        seen |= {row["pid"] for row in rows}
