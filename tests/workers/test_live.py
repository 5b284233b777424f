"""The live worker: woken by the bus, or by itself when there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bus import publishing, subjects
from bus.subscribing import Subscriber
from market.publications import Publication
from tests.workers.market import Market, new_claimer, tape
from workers.live import LiveWorker
from workers.settings import WorkerSettings

NOBODY = "redis://127.0.0.1:1/0"


@asynccontextmanager
async def running(market: Market, redis_url: str, settings: WorkerSettings) -> AsyncIterator[LiveWorker]:
    stopping = asyncio.Event()
    async with publishing.opened(redis_url) as bus, asyncio.TaskGroup() as group:
        worker = LiveWorker(market.url, bus, new_claimer, settings)
        listening = group.create_task(worker.listen(Subscriber(redis_url, [subjects.WAKE])))
        group.create_task(worker.run(stopping))
        try:
            yield worker
        finally:
            stopping.set()
            listening.cancel()


async def folded(market: Market) -> None:
    """Return when nothing is left to fold."""
    async with asyncio.timeout(60):
        while await market.connection.fetchval("SELECT count(*) FROM batches"):
            pass


async def heard(redis_url: str, ready: asyncio.Event, at_least: int) -> list[Publication]:
    publications: list[Publication] = []
    async for message in Subscriber(redis_url, [subjects.PUBLICATIONS]).listen():
        if message.subject:
            publications += subjects.decode_publications(message.data)
        elif message.connected:
            ready.set()
        if len(publications) >= at_least:
            return publications
    return publications


async def test_what_is_committed_is_heard_on_the_bus_in_order(market: Market, redis_url: str) -> None:
    ready = asyncio.Event()
    hearing = asyncio.create_task(heard(redis_url, ready, 100))
    await ready.wait()
    async with market.writing() as writer, running(market, redis_url, WorkerSettings()):
        await writer.store(tape(market.ids[0], 3000))
        publications = await hearing
    bars = [each.offset for each in publications if each.family == "bars"]
    assert list(range(1, len(bars) + 1)) == bars


async def test_without_a_bus_every_batch_is_folded_all_the_same(market: Market) -> None:
    async with market.writing() as writer, running(market, NOBODY, WorkerSettings()) as worker:
        await writer.store(tape(market.ids[0], 3000))
        await folded(market)
        published = await market.connection.fetchval("SELECT count(*) FROM publications")
        signals = await market.connection.fetchval("SELECT count(*) FROM signals")
    assert signals == worker.totals.signals.total()
    assert worker.totals.publications == worker.totals.unheard == published


async def test_claims_wait_for_each_other_so_that_one_takes_what_many_stored(market: Market) -> None:
    """Rule 6: at most one commit every few milliseconds a worker."""
    settings = WorkerSettings(commit_after_seconds=0.3, poll_after_seconds=0.001)
    trades = tape(market.ids[0], 200)
    async with market.writing() as writer, running(market, NOBODY, settings) as worker:
        for trade in trades:
            await writer.store([trade])
        await folded(market)
    assert len(trades) == worker.totals.batches
    assert worker.totals.claims < len(trades) / 2
