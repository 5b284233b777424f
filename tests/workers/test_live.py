"""The live worker: woken by the bus, or by itself when there is none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from bus import publishing, subjects
from bus.publishing import Bus
from bus.subscribing import Subscriber
from market.publications import Latest, Publication
from tests.workers.market import (
    Market,
    claim_all,
    folded_at_once,
    new_backfill,
    new_claimer,
    stored,
    tape,
)
from workers.announcing import Announcer
from workers.claiming import Claimer
from workers.live import LiveWorker
from workers.portions import TICKS_A_CLAIM, Portion
from workers.settings import WorkerSettings

pytestmark = pytest.mark.slow

NOBODY = "redis://127.0.0.1:1/0"


def claimer(portion: Portion) -> Claimer:
    return new_claimer(portion=portion)


@asynccontextmanager
async def running(
    market: Market,
    redis_url: str,
    settings: WorkerSettings,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[LiveWorker]:
    stopping = asyncio.Event()
    async with publishing.opened(redis_url) as bus, asyncio.TaskGroup() as group:
        worker = LiveWorker(market.url, Announcer(bus), claimer, settings, sleep)
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
    assert worker.totals.publications == worker.counters()["unheard"] == published


class Hanging(Bus):
    """A bus that answers when it is released."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def publish(self, publications: Sequence[Publication]) -> None:  # noqa: ARG002
        await self.released.wait()

    async def latest(self, values: Sequence[Latest]) -> None:  # noqa: ARG002
        await self.released.wait()


async def test_a_bus_that_hangs_holds_up_no_claim(market: Market) -> None:
    bus, stopping = Hanging(), asyncio.Event()
    worker = LiveWorker(market.url, Announcer(bus), claimer, WorkerSettings())
    async with market.writing() as writer, asyncio.TaskGroup() as group:
        group.create_task(worker.run(stopping))
        for start in range(0, 2000, 500):
            await writer.store(tape(market.ids[0], 2000)[start : start + 500])
            await folded(market)
        bus.released.set()
        stopping.set()
    assert 0 < worker.totals.publications


async def test_commits_of_a_worker_keep_their_distance(market: Market) -> None:
    """Rule 6: at most one commit every few milliseconds a worker."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    settings = WorkerSettings(commit_after_seconds=0.004, poll_after_seconds=0.001)
    trades = tape(market.ids[0], 50)
    async with market.writing() as writer, running(market, NOBODY, settings, sleep):
        for trade in trades:
            await writer.store([trade])
            await folded(market)
    commits = await market.connection.fetchval("SELECT count(*) FROM states")
    assert len(trades) == commits
    assert commits <= sum(slept) / settings.commit_after_seconds + 1


async def test_claims_wait_for_each_other_so_that_one_takes_what_many_stored(market: Market) -> None:
    settings = WorkerSettings(commit_after_seconds=0.3, poll_after_seconds=0.001)
    trades = tape(market.ids[0], 200)
    async with market.writing() as writer, running(market, NOBODY, settings) as worker:
        for trade in trades:
            await writer.store([trade])
        await folded(market)
    assert len(trades) == worker.totals.batches
    assert worker.totals.claims < len(trades) / 2


@pytest.mark.parametrize("sqlstate", ["57014", "53200"], ids=["a timeout", "no memory"])
async def test_a_claim_that_is_too_much_is_tried_again_and_halved(market: Market, sqlstate: str) -> None:
    await market.connection.execute(NOT_TOO_MUCH.format(sqlstate))
    trades = tape(market.ids[0], 2 * TICKS_A_CLAIM)
    async with market.writing() as writer:
        for start in range(0, len(trades), 500):
            await writer.store(trades[start : start + 500])
        async with running(market, NOBODY, WorkerSettings(), no_sleep) as worker:
            await folded(market)
    assert len(trades) == worker.totals.ticks
    assert len(trades) / 5000 <= worker.totals.claims < len(trades) / 2000
    assert folded_at_once(trades) == await stored(market)


async def test_a_claim_that_costs_its_connection_is_halved_too(market: Market) -> None:
    await market.connection.execute(CUT_OFF)
    trades = tape(market.ids[0], 2 * TICKS_A_CLAIM)
    async with market.writing() as writer:
        for start in range(0, len(trades), 500):
            await writer.store(trades[start : start + 500])
        async with running(market, NOBODY, WorkerSettings(), no_sleep):
            await folded(market)
    assert folded_at_once(trades) == await stored(market)


async def no_sleep(_seconds: float) -> None:
    await asyncio.sleep(0)


NOT_TOO_MUCH = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(ticks) FROM claimed) > 5000 THEN
        RAISE 'more than there is time or memory for' USING ERRCODE = '{}';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse AFTER DELETE ON batches
REFERENCING OLD TABLE AS claimed FOR EACH STATEMENT EXECUTE FUNCTION refuse()
"""


CUT_OFF = """
CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(ticks) FROM claimed) > 5000 THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cut_off AFTER DELETE ON batches
REFERENCING OLD TABLE AS claimed FOR EACH STATEMENT EXECUTE FUNCTION cut_off()
"""


async def test_what_is_staged_is_told_after_all_live_work(market: Market, redis_url: str) -> None:
    trades = tape(market.ids[0], 3000)
    late = trades.pop(300)
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for part in (trades, [late]):
            await writer.store(part)
            await claim_all(claimer, connection)
        assert 1 == await new_backfill(market.url).repair(connection)
        work = tape(market.ids[1], 2 * TICKS_A_CLAIM + 5000)
        for start in range(0, len(work), 5000):
            await writer.store(work[start : start + 5000])
    async with running(market, redis_url, WorkerSettings()) as worker, asyncio.timeout(60):
        while await market.connection.fetchval("SELECT count(*) FROM staged"):
            pass
    [last] = await market.connection.fetch(COMMITS, market.ids[1])
    [repaired] = await market.connection.fetch(COMMITS + " AND op = 'correction'", market.ids[0])
    assert last["newest"] < repaired["oldest"]
    assert 1 == worker.totals.repairs


COMMITS = """
SELECT min(xmin::text::bigint) AS oldest, max(xmin::text::bigint) AS newest
FROM publications WHERE instrument_id = $1
"""
