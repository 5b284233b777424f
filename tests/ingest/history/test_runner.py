"""Runners lose their leases, their databases, and their lives, and nothing is lost or repeated."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from db import chunks
from db.chunks import FetchedPage, Lease
from db.connections import connected
from heliograph.embedded.postgres import Postgres
from ingest.history.runner import Runner
from ingest.settings import HistorySettings
from market.errors import StoreConflictError
from market.publications import Latest
from tests.ingest.history.conftest import desk_of
from tests.ingest.history.past import Place, placed

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 300
"""Never needed; a machine may be busy."""

SETTINGS = HistorySettings(poll_after_seconds=0.02, chunks_at_once=2, yield_above_seconds=3600)


@asynccontextmanager
async def running(place: Place, *holders: str) -> AsyncIterator[list[Latest]]:
    """Run runners until the block ends, and demand that they end in order."""
    stopping, told = asyncio.Event(), list[Latest]()
    async with desk_of(told, SETTINGS) as desk, asyncio.TaskGroup() as group:
        for holder in holders:
            group.create_task(Runner(place.url, desk, holder).run(stopping))
        async with asyncio.timeout(DEADLINE_SECONDS):
            yield told
        stopping.set()


async def many_gaps(place: Place) -> list[int]:
    """Open a gap between every fifth trade, and return the trades that are stored."""
    edges = list(range(1, len(place.trades) + 1, 5))
    await place.store(*edges)
    for after_id, before_id in pairwise(edges):
        await place.open(after_id, before_id)
    return edges


async def test_two_runners_never_ask_for_the_same_page(place: Place) -> None:
    edges = await many_gaps(place)
    async with running(place, "one", "other"):
        await place.until(place.ended)
    asked = Counter(request.url.query for request in place.server.asked)
    assert len(edges) - 1 == len(asked) == asked.total()
    assert list(range(1, edges[-1] + 1)) == await place.stored()
    assert {"closed"} == {state for state, _, _ in await place.gaps()}


async def test_a_runner_that_stops_gives_its_chunk_back(place: Place) -> None:
    place.past.allow(0)
    await place.store(1, 2, 20)
    await place.open(2, 20)

    async with running(place, "one"):
        await place.until(place.waits)
    assert ("waiting", None) == await place.of_chunk("state", "leased_by")
    place.past.allow()
    async with running(place, "other"):
        await place.until(place.ended)
    assert list(range(1, 21)) == await place.stored()


async def test_a_lease_that_ended_is_anothers_and_its_old_holder_stores_nothing(place: Place) -> None:
    await place.store(1, 2, 20)
    await place.open(2, 20)
    late, quick = Lease("late", -1.0), Lease("quick", 60.0)
    page = FetchedPage(trades=place.trades[2:5], letters=(), cursor="6", tolerance=0)
    chunk = await chunks.claim(place.connection, late)
    assert chunk is not None
    assert await chunks.claim(place.connection, quick) is not None
    with pytest.raises(StoreConflictError, match="the lease of chunk"):
        await chunks.store(place.connection, chunk, late, page)
    assert ([1, 2, 20], "") == (await place.stored(), (await place.chunk())["cursor"])
    assert 3 == await chunks.store(place.connection, chunk, quick, page)


async def test_a_chunk_that_is_leased_is_nobody_elses(place: Place) -> None:
    await place.open(2, 20)
    async with connected(place.url, "another") as another:
        assert await chunks.claim(another, Lease("one", 60.0)) is not None
        assert await chunks.claim(place.connection, Lease("other", 60.0)) is None
        await chunks.release(another, "one")
        assert await chunks.claim(place.connection, Lease("other", 60.0)) is not None


async def test_a_chunk_whose_row_is_locked_is_passed_over(place: Place) -> None:
    await place.open(2, 20)
    async with connected(place.url, "another") as another, another.transaction():
        await another.execute("SELECT FROM chunks FOR UPDATE")
        assert await chunks.claim(place.connection, Lease("other", 60.0)) is None


@pytest.mark.slow
async def test_healing_goes_on_after_postgresql_was_restarted(postgres_server: Postgres) -> None:
    async with placed(postgres_server.url, trades=200) as place:
        place.past.page = 10
        place.past.allow(0)
        await place.store(1, 2, 200)
        await place.open(2, 200)

        async with running(place, "one", "other"):
            await place.until(place.waits)
            await asyncio.to_thread(postgres_server.stop)
            place.past.allow()
            await asyncio.to_thread(postgres_server.start)
            async with connected(place.url, "test") as connection:
                again = Place(place.url, connection, place.listed, place.past, place.server)
                await again.until(again.ended)
                assert (list(range(1, 201)), [("closed", 2, 200)]) == (
                    await again.stored(),
                    await again.gaps(),
                )


@pytest.mark.slow
async def test_a_runner_killed_in_mid_page_loses_and_repeats_nothing(
    place: Place, redis_url: str, tmp_path: Path
) -> None:
    place.past.page = 4
    place.past.allow(0)
    await place.store(1, 2, 40)
    await place.open(2, 40)
    environment = {
        **os.environ,
        "HELIOGRAPH_DATABASE_URL": place.url,
        "HELIOGRAPH_REDIS_URL": redis_url,
        "HELIOGRAPH_HISTORY_POLL_AFTER_SECONDS": "0.05",
        "HELIOGRAPH_HISTORY_YIELD_ABOVE_SECONDS": "3600",
    }
    async with asyncio.timeout(DEADLINE_SECONDS):
        for pages in (0, 1, 3):
            place.past.allow(pages)
            with started(environment, tmp_path) as runner:
                await place.until(place.waits)
                runner.kill()
            await place.connection.execute("UPDATE chunks SET leased_until = clock_timestamp()")
        place.past.allow()
        with started(environment, tmp_path) as runner:
            await place.until(place.ended)
            runner.send_signal(signal.SIGTERM)
            assert 0 == await asyncio.to_thread(runner.wait), (tmp_path / "log").read_text()
    stored = await place.stored()
    assert list(range(1, 41)) == stored
    assert [("closed", 2, 40)] == await place.gaps()
    assert 37 == (await place.chunk())["stored"]
    beat = await place.connection.fetchval(
        "SELECT counters->>'closed' FROM processes WHERE role = 'ingest-history' AND stopped_at IS NOT NULL"
    )
    assert "1" == beat


@contextmanager
def started(environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for as long as the block, however that ends."""
    command = [sys.executable, "-m", "heliograph", "ingest", "history"]
    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(command, env=environment, stderr=log) as process,
    ):
        try:
            yield process
        finally:
            process.kill()
