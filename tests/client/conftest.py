"""A client of a served API: real stores, and a worker that folded a tape."""

from collections.abc import AsyncIterator

import pytest

from api.settings import ApiSettings
from bus import publishing
from db.connections import connected
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from heliograph_client import Client
from tests.api.peers import Served, Worker, serving
from tests.client.telling import Teller
from tests.workers.market import BEGAN, claim_all, new_claimer, tape

TRADES = 3000


@pytest.fixture
async def worker(postgres_url: str, redis_url: str) -> AsyncIterator[Worker]:
    async with connected(postgres_url, "test") as connection, publishing.opened(redis_url) as bus:
        yield Worker(connection, bus)


@pytest.fixture
async def served(postgres_url: str, redis_url: str) -> AsyncIterator[Served]:
    settings = ApiSettings(port=0, heartbeat_seconds=0.2, cache_seconds=0, moving_cache_seconds=0)
    async with serving(settings, postgres_url, redis_url) as running:
        yield running


@pytest.fixture
def client(served: Served) -> Client:
    return Client(served.url, tries=1)


@pytest.fixture
async def teller(worker: Worker) -> Teller:
    [sol] = await worker.instruments("SOL/USD")
    return Teller(worker, sol)


@pytest.fixture
async def folded(served: Served, worker: Worker) -> Served:
    """An API of trades of SOL/USD, and of the bars and indicators that they give."""
    await fold(worker, TRADES)
    return served


@pytest.fixture
async def signalled(served: Served, worker: Worker) -> Served:
    """An API of so many trades that there are signals."""
    await fold(worker, 8000)
    return served


async def fold(worker: Worker, count: int) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await ensure_days(worker.connection, [day_of(BEGAN)])
    writer = TickWriter(worker.connection, await enlist(worker.connection))
    await writer.write(Ticks(trades=tape(sol.instrument_id, count)), {sol.instrument_id: sol})
    await claim_all(new_claimer(), worker.connection)
