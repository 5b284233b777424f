"""The whole ingester on real sockets and PostgreSQL, against the simulated venue."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from db.connections import connected
from db.logins import INGEST, address_of
from db.sockets import read as sockets
from heliograph.embedded.postgres import Postgres
from ingest.__main__ import ingest
from ingest.settings import FeedSettings, IngestSettings
from market import batches
from market.publications import Latest
from sim import protocols
from sim.pacing import MAX, Pace
from sim.server import SimulatedVenue
from sim.tapes import RecordedTape
from tests.ingest.freely import Nowhere

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 120


class Deaf:
    """A bus that nobody listens to."""

    async def wake(self, shards: Sequence[int]) -> None:
        pass

    async def latest(self, values: Sequence[Latest]) -> None:
        pass


@asynccontextmanager
async def simulated(venue: str, *files: Path) -> AsyncIterator[SimulatedVenue]:
    adapter = protocols.named(venue)
    tape = RecordedTape(adapter, files)
    simulation = SimulatedVenue(adapter, tape, Pace(MAX))
    async with simulation.serving():
        yield simulation


async def replay(url: str, venue: str, *files: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ingest a whole recording; return what the venue offered and what the ingester counted."""
    async with asyncio.timeout(DEADLINE_SECONDS), simulated(venue, *files) as simulation:
        status = simulation.status()
        feed = FeedSettings(
            venue=venue,
            symbols=status["symbols"],
            protocol=status["protocol"],
            stream_url=simulation.stream_url,
            rest_url=simulation.rest_url,
        )
        stopping = asyncio.Event()
        task = asyncio.create_task(
            ingest(
                IngestSettings(feeds=(feed,)), address_of(url, INGEST), Deaf(), Nowhere(), stopping, "test"
            )
        )
        await asyncio.wait(
            {task, asyncio.create_task(simulation.finished.wait())}, return_when="FIRST_COMPLETED"
        )
        stopping.set()
        await task
        return simulation.status()["offered"], (await counters(url))["feeds"][venue]


async def counters(url: str) -> dict[str, Any]:
    async with connected(url, "test") as connection:
        row = await connection.fetchrow(
            "SELECT counters::text, stopped_at FROM processes ORDER BY started_at DESC LIMIT 1"
        )
    assert row is not None
    assert row["stopped_at"] is not None
    found: dict[str, Any] = msgspec.json.decode(row["counters"])
    return found


async def stored(url: str) -> dict[str, int]:
    async with connected(url, "test") as connection:
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
            for table in ("trades", "quotes", "depths")
        }


async def test_without_postgresql_the_end_is_not_held_up(postgres_server: Postgres) -> None:
    """The venue is not there either: its port is nobody's."""
    feed = FeedSettings(venue="kraken", symbols=("SOL/USD",), stream_url="ws://127.0.0.1:1")
    settings = IngestSettings(feeds=(feed,), drain_within_seconds=0.1)
    stopping = asyncio.Event()
    async with asyncio.timeout(DEADLINE_SECONDS), asyncio.TaskGroup() as group:
        group.create_task(ingest(settings, postgres_server.url, Deaf(), Nowhere(), stopping, "test"))
        await _until_told(postgres_server.url)
        await asyncio.to_thread(postgres_server.stop)
        stopping.set()


async def _until_told(url: str) -> None:
    async with connected(url, "test") as connection:
        while not [socket for socket in await sockets(connection) if socket.state == "waiting"]:
            pass


BEYOND_THE_SNAPSHOT = 22
"""Updates of the recording after which nothing of a side is left of what its one snapshot knew."""


async def missing(url: str) -> list[tuple[str, str]]:
    """Return cause and detail of the gaps in trades."""
    async with connected(url, "test") as connection:
        return [
            tuple(row)
            for row in await connection.fetch("SELECT cause, detail FROM gaps WHERE kind = 'trades'")
        ]


def balances(tally: dict[str, Any]) -> bool:
    return bool(settled(tally) == tally["offered"])


def settled(tally: dict[str, Any]) -> int:
    rejected: int = sum(tally["rejected"].values())
    return int(tally["stored"] + tally["duplicates"] + tally["conflated"] + rejected)


@pytest.mark.slow
async def test_a_recording_is_stored_whole_and_a_second_time_not_at_all(
    postgres_url: str, recordings: Path
) -> None:
    file = recordings / "hftbacktest" / "spot_btcusdt_20240808.gz"
    offered, tallies = await replay(postgres_url, "binance", file)
    assert {"trades": 9_757, "quotes": 28_040, "depths": 3_451} == offered
    assert offered == {kind: tally["offered"] for kind, tally in tallies.items()}
    assert all(map(balances, tallies.values()))
    rejected = {kind: tally["rejected"] for kind, tally in tallies.items()}
    assert {"trades": {}, "quotes": {}, "depths": {"book_invalid": BEYOND_THE_SNAPSHOT}} == rejected
    assert {kind: tally["stored"] for kind, tally in tallies.items()} == await stored(postgres_url)
    assert (9_757, 0) == (tallies["trades"]["stored"], tallies["trades"]["duplicates"])
    assert [] == await missing(postgres_url)
    _, again = await replay(postgres_url, "binance", file)
    assert dict.fromkeys(offered, 0) == {kind: tally["stored"] for kind, tally in again.items()}
    assert offered == {kind: settled(tally) for kind, tally in again.items()}
    assert offered["trades"] == again["trades"]["duplicates"]
    async with connected(postgres_url, "test") as connection:
        rows = await connection.fetch("SELECT ticks, listing FROM batches")
        left = await sockets(connection)
        marks = await connection.fetchval("SELECT count(*) FROM watermarks")
    listed = [
        span.count for row in rows for spans in batches.decode(row["listing"]).values() for span in spans
    ]
    assert (
        sum((await stored(postgres_url)).values()) + marks == sum(listed) == sum(row["ticks"] for row in rows)
    )
    assert [] == left


@pytest.mark.slow
async def test_futures_are_stored_whole(postgres_url: str, recordings: Path) -> None:
    offered, tallies = await replay(
        postgres_url, "binance", recordings / "hftbacktest" / "usdm_btcusdt_20240808.gz"
    )
    assert {"trades": 21_313, "quotes": 66_089, "depths": 6_551} == offered
    assert offered == {kind: tally["offered"] for kind, tally in tallies.items()}
    assert all(map(balances, tallies.values()))
    assert {kind: tally["stored"] for kind, tally in tallies.items()} == await stored(postgres_url)
    assert [] == await missing(postgres_url)
    assert (21_313, {}) == (tallies["trades"]["stored"], tallies["trades"]["rejected"])


@pytest.mark.slow
async def test_coinbases_matches_and_last_matches_are_all_stored(postgres_url: str, recordings: Path) -> None:
    file = recordings / "cryptofeed" / "2021-09-14" / "COINBASE.ws.28.0.974302d.gz"
    offered, tallies = await replay(postgres_url, "coinbase", file)
    assert {"trades": 107, "quotes": 107, "depths": 9_729} == offered
    assert offered == {kind: tally["offered"] for kind, tally in tallies.items()}
    assert all(map(balances, tallies.values()))
    assert (107, {}) == (tallies["trades"]["stored"], tallies["trades"]["rejected"])
    assert {"no_time": 2} == tallies["depths"]["rejected"]
    assert [] == await missing(postgres_url)
    _, again = await replay(postgres_url, "coinbase", file)
    assert [0, 0, 0] == [tally["stored"] for tally in again.values()]


@pytest.mark.slow
async def test_krakens_trades_are_stored_and_its_books_pass_every_checksum(
    postgres_url: str, recordings: Path
) -> None:
    files = sorted((recordings / "cryptofeed" / "2021-09-14").glob("KRAKEN.ws.*"))
    offered, tallies = await replay(postgres_url, "kraken", *files)
    assert {"trades": 10, "quotes": 18, "depths": 4_279} == offered
    assert offered == {kind: tally["offered"] for kind, tally in tallies.items()}
    assert all(map(balances, tallies.values()))
    depths = tallies["depths"]
    assert (10, 4_279) == (tallies["trades"]["stored"], depths["stored"] + depths["conflated"])
    assert depths["stored"] < 2_000, "one a tenth of a second and instrument, and large changes"
    assert {"no_time": 10} == tallies["quotes"]["rejected"]
    assert [] == await missing(postgres_url)
    _, again = await replay(postgres_url, "kraken", *files)
    assert [0, 0, 0] == [tally["stored"] for tally in again.values()]
