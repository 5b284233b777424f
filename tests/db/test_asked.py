"""Jobs are paused, resumed, cancelled, and retried from any state in which that means something."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from db import asked, chunks, dirty, imports, verifications
from db.asked import NewPiece, enqueue_backfill
from db.chunks import Chunk, FetchedPage, Lease
from db.connections import connected
from db.feeds import WantedFeed, offer
from db.instruments import Listed, register
from db.jobs import enqueue_recent
from db.partitions import day_of, ensure_days
from ingest.venues.registry import venue
from market.errors import InvalidInputError, StoreConflictError
from market.times import SECOND
from market.trades import Side, Trade

if TYPE_CHECKING:
    from db.connections import Connection

BEGAN = 1_700_000_000 * SECOND
LEASE, OTHER = Lease("one", 60.0), Lease("another", 60.0)


@pytest.fixture
async def connection(postgres_url: str) -> "AsyncIterator[Connection]":
    async with connected(postgres_url, "test") as one:
        await offer(one, [WantedFeed(exchange="binance", symbol="BTC/USDT")])
        await ensure_days(one, [day_of(BEGAN)])
        yield one


async def listed(connection: "Connection") -> Listed:
    instrument = venue("binance").instrument("BTC/USDT")
    return (await register(connection, [instrument]))[instrument.key]


async def enqueued(connection: "Connection", pieces: int = 2) -> int:
    one = (await listed(connection)).instrument_id
    cuts = [BEGAN + number * SECOND for number in range(pieces + 1)]
    wanted = [NewPiece(one, cuts[each], cuts[each + 1], 10) for each in reversed(range(pieces))]
    return await enqueue_backfill(connection, cuts[0], cuts[-1], wanted)


async def claimed(connection: "Connection", lease: Lease = LEASE) -> Chunk:
    chunk = await chunks.claim(connection, lease)
    assert chunk is not None
    return chunk


async def store(connection: "Connection", chunk: Chunk, number: int = 1, lease: Lease = LEASE) -> None:
    trade = Trade(chunk.instrument_id, chunk.from_ts, number, 1.0, 1.0, Side.BUY, chunk.from_ts)
    page = FetchedPage(trades=[trade], letters=[], cursor=str(number + 1), tolerance=0)
    await chunks.store(connection, chunk, lease, page)


async def finish(connection: "Connection", chunk: Chunk, failed: str = "") -> None:
    async with connection.transaction():
        await chunks.hold(connection, chunk, LEASE)
        await chunks.finish(connection, chunk, failed=failed)


async def change(connection: "Connection", verb: str, job_id: int) -> str:
    async with connection.transaction():
        return await asked.change(connection, verb, job_id)


async def dirties(connection: "Connection") -> list[tuple[int, int]]:
    return [tuple(row) for row in await connection.fetch("SELECT from_ts, to_ts FROM dirty ORDER BY 1")]


async def test_the_newest_piece_is_done_first_and_the_last_ends_the_job(connection: "Connection") -> None:
    job_id = await enqueued(connection)
    first = await claimed(connection)
    assert first.from_ts == BEGAN + SECOND
    await store(connection, first)
    await finish(connection, first)
    half = await asked.job(connection, job_id)
    assert (half.state, half.done, half.pieces, half.fetched, half.stored) == ("running", 1, 2, 1, 1)
    await finish(connection, await claimed(connection))
    whole = await asked.job(connection, job_id)
    assert (whole.state, whole.done, whole.is_over) == ("done", 2, True)
    assert [(BEGAN + SECOND, BEGAN + 2 * SECOND)] == await dirties(connection)


async def test_what_heals_comes_before_what_is_backfilled(connection: "Connection") -> None:
    await enqueued(connection)
    await enqueue_recent(connection, (await listed(connection)).instrument_id, BEGAN, BEGAN + SECOND)
    assert [(await claimed(connection)).kind, (await claimed(connection, OTHER)).kind] == [
        "recent",
        "backfill",
    ]


async def test_a_paused_job_is_laid_down_and_goes_on_where_it_was(connection: "Connection") -> None:
    job_id = await enqueued(connection, 1)
    chunk = await claimed(connection)
    await store(connection, chunk, 7)
    assert await change(connection, "pause", job_id) == "paused"
    assert not await chunks.is_wanted(connection, chunk, LEASE)
    await chunks.release(connection, LEASE.holder)
    assert await chunks.claim(connection, OTHER) is None
    assert await change(connection, "resume", job_id) == "running"
    assert (await claimed(connection, OTHER)).cursor == "8"


async def test_who_resumes_waits_for_a_piece_before_it_takes_the_job(
    connection: "Connection", postgres_url: str
) -> None:
    job_id = await enqueued(connection, 1)
    chunk = await claimed(connection)
    await change(connection, "pause", job_id)
    async with connected(postgres_url, "test ender") as ender, asyncio.timeout(20):
        async with ender.transaction():
            await chunks.hold(ender, chunk, LEASE)
            resuming = asyncio.create_task(change(connection, "resume", job_id))
            while not await ender.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                pass  # until it waits
            assert await ender.fetchval("SELECT job_id FROM jobs WHERE job_id = $1 FOR UPDATE NOWAIT", job_id)
        assert await resuming == "running"


async def test_of_many_pieces_those_that_are_not_done_are_shown(connection: "Connection") -> None:
    job_id = await enqueued(connection, 3)
    await finish(connection, await claimed(connection))
    shown = [(each.from_ts, each.state) for each in await asked.pieces(connection, job_id, 2)]
    assert [(BEGAN, "waiting"), (BEGAN + SECOND, "waiting")] == shown
    assert 3 == len(await asked.pieces(connection, job_id))


async def test_a_cancelled_job_takes_no_more_and_has_computed_what_it_stored(
    connection: "Connection",
) -> None:
    job_id = await enqueued(connection)
    chunk = await claimed(connection)
    await store(connection, chunk)
    assert await change(connection, "cancel", job_id) == "cancelled"
    assert [(chunk.from_ts, chunk.to_ts)] == await dirties(connection)
    with pytest.raises(StoreConflictError):
        await store(connection, chunk, 2)
    assert await connection.fetchval("SELECT count(*) FROM trades") == 1
    assert await chunks.claim(connection, OTHER) is None


async def test_what_a_piece_under_way_stored_is_known_not_to_be_computed(connection: "Connection") -> None:
    await enqueued(connection)
    chunk, one = await claimed(connection), await listed(connection)
    assert [] == await verifications.unfolded(connection, one, BEGAN, BEGAN + 2 * SECOND)
    await store(connection, chunk)
    [known] = await verifications.unfolded(connection, one, BEGAN, BEGAN + 2 * SECOND)
    assert (chunk.from_ts, chunk.to_ts) == (known.from_ts, known.to_ts)


async def test_what_failed_is_tried_again_where_it_was(connection: "Connection") -> None:
    job_id = await enqueued(connection, 1)
    chunk = await claimed(connection)
    await store(connection, chunk, 7)
    await finish(connection, chunk, failed="no such symbol")
    job = await asked.job(connection, job_id)
    assert (job.state, job.failed, job.detail) == ("failed", 1, "no such symbol")
    assert await change(connection, "retry", job_id) == "running"
    again = await claimed(connection, OTHER)
    assert (again.chunk_id, again.cursor, again.attempts) == (chunk.chunk_id, "8", 0)


@pytest.mark.parametrize(("state", "verb"), [("done", v) for v in asked.VERBS] + [("waiting", "resume")])
async def test_what_means_nothing_is_refused(connection: "Connection", state: str, verb: str) -> None:
    job_id = await enqueued(connection, 1)
    if state == "done":
        await finish(connection, await claimed(connection))
    with pytest.raises(InvalidInputError, match=f"job {job_id} is {state}: there is nothing to {verb}"):
        await change(connection, verb, job_id)
    assert (await asked.job(connection, job_id)).state == state


async def test_what_nobody_asked_for_looks_after_itself(connection: "Connection") -> None:
    one = (await listed(connection)).instrument_id
    job_id = await enqueue_recent(connection, one, BEGAN, BEGAN + SECOND)
    with pytest.raises(InvalidInputError, match="looks after itself"):
        await change(connection, "cancel", job_id)
    assert [] == await asked.jobs(connection)
    assert [job_id] == [job.job_id for job in await asked.jobs(connection, kinds=["recent"])]


async def test_an_import_is_cancelled_once_its_command_has_ended(connection: "Connection") -> None:
    one = await listed(connection)

    async def begun(lease: Lease) -> int:
        return (
            await imports.begin(connection, one, lease, mark="a", name="a.csv", from_ts=BEGAN)
        ).chunk.job_id

    job_id = await begun(LEASE)
    with pytest.raises(InvalidInputError, match="is being imported"):
        await change(connection, "cancel", job_id)
    assert job_id == await begun(Lease("one", 0.0))
    assert await change(connection, "cancel", job_id) == "cancelled"
    with pytest.raises(InvalidInputError, match="its command does"):
        await change(connection, "retry", job_id)
    assert job_id != await begun(LEASE)


async def test_a_job_that_is_not_there_is_refused(connection: "Connection") -> None:
    with pytest.raises(InvalidInputError, match="there is no job 7"):
        await change(connection, "pause", 7)


async def test_what_waits_to_be_computed_is_counted(connection: "Connection") -> None:
    one = (await listed(connection)).instrument_id
    await dirty.mark(connection, [dirty.DirtyInterval(one, BEGAN, BEGAN + SECOND)], "history")
    assert await asked.uncomputed(connection, [one], BEGAN, BEGAN + SECOND) == 1
    assert await asked.uncomputed(connection, [one], BEGAN + SECOND, BEGAN + 2 * SECOND) == 0
