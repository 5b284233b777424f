"""What `heliograph top` shows follows from two looks at the database."""

import asyncio
import json
from collections.abc import AsyncIterator
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from db.connections import connected
from db.instruments import register
from heliograph.looking import Look, Moved, look, moved
from heliograph.top import drawn, watch
from market.errors import StoreError
from market.instruments import spot
from market.times import SECOND
from tests.heliograph.test_cli import heliograph

if TYPE_CHECKING:
    from db.connections import Connection

BEAT = """
INSERT INTO processes (process_id, role, host, pid, started_at, seen_at, counters)
VALUES ($1, $2, 'h', 7, now(), clock_timestamp(), $3::jsonb)
ON CONFLICT (process_id) DO UPDATE SET counters = excluded.counters
"""
GAP = """
INSERT INTO gaps (instrument_id, kind, cause, state, from_ts, to_ts, detail)
VALUES ($1, 'trades', 'reconnect', 'open', now(), now(), 'asked for')
"""


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        yield connection


async def beat(connection: "Connection", stored: int, published: int, seconds: float) -> None:
    tally = {"stored": stored, "duplicates": 2, "offered": stored + 2, "rejected": {}}
    ingest = {"feeds": {"kraken": {"trades": tally}}, "writer": {"commits": stored // 10}}
    live = {"ticks": stored, "published": published, "publishing_seconds": seconds, "signals": {}}
    await connection.execute(BEAT, "i", "ingest", json.dumps(ingest))
    await connection.execute(BEAT, "w", "worker-live", json.dumps(live))


def text_of(*seen: object) -> str:
    output = StringIO()
    Console(file=output, width=140).print(drawn(*seen))  # type: ignore[arg-type]
    return output.getvalue()


async def test_rates_are_what_moved_between_two_looks(connection: "Connection") -> None:
    await beat(connection, 100, 10, 1.0)
    before = await look(connection, 0)
    await beat(connection, 300, 30, 1.1)
    after = await look(connection, 2 * SECOND)
    found = moved(before, after)
    [kraken] = found.feeds
    assert ("kraken", 100.0, 0.0) == (kraken.exchange, kraken.stored, kraken.duplicates)
    ingest, live = found.processes
    assert {"writer.commits": 10.0} == ingest.does
    assert {"ticks": 100.0, "published": 10.0} == live.does
    assert found.telling_seconds == pytest.approx(0.005)


async def test_all_of_it_is_drawn(connection: "Connection") -> None:
    listed = await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])
    [instrument] = listed.values()
    await connection.execute(GAP, instrument.instrument_id)
    await beat(connection, 100, 10, 1.0)
    seen = await look(connection, SECOND)
    text = text_of(seen, moved(seen, seen))
    for said in ("kraken", "worker-live", "1 open", "reconnect", "asked for", "kraken:SOL/USD", "0 batches"):
        assert said in text


class Screen:
    """Keeps what it is shown, and ends the watch after the first look."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self.stopping = stopping
        self.shown: list[Moved] = []
        self.lost: list[str] = []

    def show(self, _seen: Look, rates: Moved) -> None:
        self.shown.append(rates)
        self.stopping.set()

    def lose(self, error: StoreError) -> None:
        self.lost.append(str(error))
        self.stopping.set()


async def test_a_watch_ends_when_it_is_told_to(postgres_url: str) -> None:
    screen = Screen(asyncio.Event())
    await watch(postgres_url, 0.001, screen, screen.stopping, once=False)
    assert 1 == len(screen.shown)


async def test_a_watch_says_that_postgresql_is_gone_and_goes_on() -> None:
    screen = Screen(asyncio.Event())
    nobody = "postgresql://heliograph@127.0.0.1:1/heliograph"
    await watch(nobody, 0.001, screen, screen.stopping, once=False)
    assert ["connecting to PostgreSQL" in said for said in screen.lost] == [True]
    with pytest.raises(StoreError):
        await watch(nobody, 0.001, screen, asyncio.Event(), once=True)


@pytest.mark.slow
def test_where_there_is_no_terminal_it_looks_once(postgres_url: str) -> None:
    shown = heliograph("top", "--every", "0.1", HELIOGRAPH_DATABASE_URL=postgres_url)
    assert shown.stdout.startswith("heliograph ")
    told = heliograph("top", "--every", "0.1", "--once", "--json", HELIOGRAPH_DATABASE_URL=postgres_url)
    assert [] == json.loads(told.stdout)["feeds"]
