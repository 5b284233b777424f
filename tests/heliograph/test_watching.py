"""A job is watched until nothing more comes of it, and told in lines or in JSON."""

import asyncio

import msgspec
import pytest

from db import asked, dirty
from db.asked import NewPiece, StoredJob, change, enqueue_backfill
from db.connections import connected
from db.feeds import WantedFeed, offer
from db.instruments import register
from heliograph.watching import Look, Rate, computing, progress, sentence, watch
from ingest.venues.registry import venue
from market.times import SECOND

JOB = StoredJob(
    job_id=7,
    kind="backfill",
    state="running",
    created_at=0,
    finished_at=None,
    detail="",
    from_ts=0,
    to_ts=SECOND,
    names=("binance:BTC/USDT",),
    pieces=4,
    done=1,
    failed=0,
    rows=400_000,
    fetched=100_000,
    stored=90_000,
    requests=101,
)


def test_a_rate_is_that_of_late() -> None:
    rate = Rate()
    assert [rate.at(0, 500), rate.at(1, 1500), rate.at(20, 3400), rate.at(21, 3500)] == [
        0.0,
        1000,
        100.0,
        100.0,
    ]


def test_a_look_says_how_far_it_is_and_how_long_it_takes() -> None:
    look = Look(JOB, 0, 2000.0)
    assert sentence(look) == (
        "job 7 running: 100,000 of about 400,000 trades, 1 of 4 pieces, 2,000 rows/s, 2 min 30 s left"
    )
    told = progress(look)
    assert (told["fetched"], told["seconds_left"], told["computing"]) == (100_000, 150.0, 0)


@pytest.mark.parametrize(
    ("state", "computing", "over"),
    [
        ("running", 0, False),
        ("paused", 0, False),
        ("done", 2, False),
        ("done", 0, True),
        ("failed", 0, True),
        ("cancelled", 1, False),
        ("cancelled", 0, True),
    ],
)
def test_a_job_is_over_when_what_it_stored_is_computed(state: str, computing: int, *, over: bool) -> None:
    assert over == Look(msgspec.structs.replace(JOB, state=state), computing, 0.0).is_over


async def test_what_nobody_listens_to_keeps_no_watcher(postgres_url: str) -> None:
    instrument = venue("binance").instrument("BTC/USDT")
    async with connected(postgres_url, "test") as connection:
        one = (await register(connection, [instrument]))[instrument.key].instrument_id
        job_id = await enqueue_backfill(connection, 0, SECOND, [NewPiece(one, 0, SECOND, 10)])
        await dirty.mark(connection, [dirty.DirtyInterval(one, 0, SECOND)], "history")
        job = await asked.job(connection, job_id)
        assert (0, 1) == await computing(connection, job)
        await offer(connection, [WantedFeed(exchange="binance", symbol="BTC/USDT")])
        assert (1, 0) == await computing(connection, job)
    told = sentence(Look(msgspec.structs.replace(JOB, state="done"), 0, 0.0, 1))
    assert told.endswith("0 to compute, 1 once it is listened to")


class Seen:
    def __init__(self) -> None:
        self.states: list[str] = []
        self.paused = asyncio.Event()

    def show(self, look: Look) -> None:
        self.states.append(look.job.state)
        if look.job.state == "paused":
            self.paused.set()


@pytest.mark.slow
async def test_a_job_is_watched_through_a_pause_to_its_end(postgres_url: str) -> None:
    instrument, screen = venue("binance").instrument("BTC/USDT"), Seen()
    async with connected(postgres_url, "test") as connection:
        one = (await register(connection, [instrument]))[instrument.key].instrument_id
        job_id = await enqueue_backfill(connection, 0, SECOND, [NewPiece(one, 0, SECOND, 10)])
        await change(connection, "pause", job_id)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch(postgres_url, job_id, screen, asyncio.Event(), lambda: 0.0))
            await screen.paused.wait()
            await change(connection, "cancel", job_id)
        ended = watching.result()
    assert ended is not None
    assert (ended.state, screen.states[-1]) == ("cancelled", "cancelled")


@pytest.mark.slow
async def test_who_is_told_to_stop_leaves_the_job_alone(postgres_url: str) -> None:
    stopping, screen = asyncio.Event(), Seen()
    stopping.set()
    assert await watch(postgres_url, 7, screen, stopping, lambda: 0.0) is None
    assert [] == screen.states
