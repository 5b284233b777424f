"""How many processes share a budget."""

import asyncio

import pytest

from db.processes import Heartbeat
from heliograph.embedded.postgres import Postgres
from ingest.outbound.peers import Peers
from runtime.clock import now

pytestmark = pytest.mark.slow


async def beating(url: str, role: str, started_at: int) -> None:
    """Beat once, as a process that runs."""
    stopping = asyncio.Event()

    def stop() -> dict[str, object]:
        stopping.set()
        return {}

    await Heartbeat(url, role, stop, lambda: started_at).run(stopping)


async def test_those_that_ask_venues_are_counted(postgres_url: str) -> None:
    for number, role in enumerate(("ingest", "ingest-history", "worker-live", "ingest")):
        await beating(postgres_url, role, now() + number)
    assert 3 == await Peers(postgres_url, assumed=9)()


async def test_a_process_that_does_not_beat_yet_counts_itself(postgres_url: str) -> None:
    assert 1 == await Peers(postgres_url, assumed=9)()


async def test_without_postgresql_those_are_assumed_that_were_counted_last(postgres_server: Postgres) -> None:
    time = [1000.0]
    await beating(postgres_server.url, "ingest", now())
    await beating(postgres_server.url, "ingest", now() + 1)
    peers, late = (Peers(postgres_server.url, 9, lambda: time[0]) for _ in range(2))
    counted = await peers()
    await asyncio.to_thread(postgres_server.stop)
    time[0] += 60
    assert (2, 2, 9) == (counted, await peers(), await late())
