"""The elected scheduler does what is due and what is asked for, and each run is a row."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from db import schedules
from db.connections import connected
from runtime.clock import now
from workers.chores import HEAL, PARTITIONS, VERIFY, Chore, Outcome
from workers.housekeeping import Work
from workers.schedule import Scheduler
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

LOSE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'heliograph scheduler'"
)


class Works:
    """Works that tell that they were begun, and end when they are let."""

    def __init__(self) -> None:
        self.began: asyncio.Queue[tuple[str, int | None]] = asyncio.Queue()
        self.may_end = asyncio.Event()
        self.may_end.set()

    def of(self, *chores: Chore) -> Mapping[Chore, Work]:
        return {chore: self._work(chore.name) for chore in chores}

    def _work(self, name: str) -> Work:
        async def work(since: int | None) -> Outcome:
            await self.began.put((name, since))
            await self.may_end.wait()
            return Outcome(f"{name} is done")

        return work


async def broken(_since: int | None) -> Outcome:
    message = "a hole in the floor"
    raise RuntimeError(message)


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        yield connection


@pytest.fixture
def works() -> Works:
    return Works()


@asynccontextmanager
async def scheduling(url: str, works: Mapping[Chore, Work]) -> AsyncIterator[Scheduler]:
    stopping = asyncio.Event()
    scheduler = Scheduler(url, WorkerSettings(), now, works, look_every_seconds=0.02)
    async with asyncio.TaskGroup() as group:
        group.create_task(scheduler.run(stopping))
        try:
            yield scheduler
        finally:
            stopping.set()


async def ended(connection: "Connection", run_id: int) -> schedules.Run:
    [run] = await until(
        connection, lambda run: run.run_id == run_id and run.state not in schedules.UNFINISHED
    )
    return run


async def until(connection: "Connection", fits: Callable[[schedules.Run], bool]) -> list[schedules.Run]:
    """Return the runs that fit, as soon as there are any."""
    async with asyncio.timeout(20):
        while True:
            if found := [run for run in await schedules.runs(connection, None, 9) if fits(run)]:
                return found
            await asyncio.sleep(0.01)


async def test_what_is_due_is_run_once_and_the_run_is_a_row(
    postgres_url: str, connection: "Connection", works: Works
) -> None:
    async with scheduling(postgres_url, works.of(PARTITIONS, VERIFY)) as scheduler:
        [run] = await until(connection, lambda run: run.state == schedules.DONE)
    assert ("partitions", "partitions is done") == (run.name, run.detail)
    assert run.began_at is not None
    assert run.ended_at is not None
    assert run.began_at <= run.ended_at
    assert {"partitions": 1} == scheduler.runs
    async with scheduling(postgres_url, works.of(PARTITIONS)):
        asked = await schedules.ask(connection, PARTITIONS.name)
        await ended(connection, asked)
    assert [asked, run.run_id] == [each.run_id for each in await schedules.runs(connection, None, 9)]


async def test_a_chore_that_breaks_is_a_row_with_the_reason_and_others_are_done(
    postgres_url: str, connection: "Connection", works: Works
) -> None:
    async with scheduling(postgres_url, {HEAL: broken, **works.of(PARTITIONS)}):
        [failed] = await until(connection, lambda run: run.state == schedules.FAILED)
        await until(connection, lambda run: run.state == schedules.DONE)
    assert ("heal", "RuntimeError: a hole in the floor") == (failed.name, failed.detail)


async def test_a_paused_chore_is_done_only_when_it_is_asked_for(
    postgres_url: str, connection: "Connection", works: Works
) -> None:
    assert await schedules.pause(connection, PARTITIONS.name)
    assert not await schedules.pause(connection, PARTITIONS.name)
    asked = await schedules.ask(connection, PARTITIONS.name)
    assert asked == await schedules.ask(connection, PARTITIONS.name)
    async with scheduling(postgres_url, works.of(PARTITIONS)):
        assert schedules.DONE == (await ended(connection, asked)).state
        assert [asked] == [run.run_id for run in await schedules.runs(connection, None, 9)]
        await connection.execute("UPDATE scheduled_runs SET began_at = began_at - interval '1 day'")
        assert await schedules.resume(connection, PARTITIONS.name)
        await until(connection, lambda run: run.run_id > asked and run.state == schedules.DONE)


async def test_a_run_of_a_chore_that_this_version_has_not_fails(
    postgres_url: str, connection: "Connection", works: Works
) -> None:
    asked = await schedules.ask(connection, "polish")
    async with scheduling(postgres_url, works.of(VERIFY)):
        run = await ended(connection, asked)
    assert ("failed", "this version has no chore polish") == (run.state, run.detail)


async def test_a_run_that_is_interrupted_is_begun_again_by_who_is_elected_next(
    postgres_url: str, connection: "Connection", works: Works
) -> None:
    works.may_end.clear()
    async with scheduling(postgres_url, works.of(PARTITIONS)), scheduling(postgres_url, works.of(PARTITIONS)):
        assert ("partitions", None) == await works.began.get()
        [first] = await schedules.runs(connection, None, 9)
        await connection.execute(LOSE)
        name, since = await works.began.get()
        works.may_end.set()
        await until(connection, lambda run: run.state == schedules.DONE)
    assert ("partitions", first.began_at) == (name, since)
    states = [run.state for run in await schedules.runs(connection, None, 9)]
    assert ["done", "interrupted"] == states


async def test_only_one_of_two_schedulers_does_anything(
    postgres_url: str, connection: "Connection", works: Works
) -> None:
    async with scheduling(postgres_url, works.of(HEAL)), scheduling(postgres_url, works.of(HEAL)):
        await until(connection, lambda run: run.state == schedules.DONE)
        await ended(connection, await schedules.ask(connection, HEAL.name))
    assert 2 == works.began.qsize()


async def test_runs_of_long_ago_are_forgotten_but_for_the_newest_ten(connection: "Connection") -> None:
    for _ in range(12):
        await schedules.begin(connection, "heal")
    await connection.execute("UPDATE scheduled_runs SET asked_at = asked_at - interval '31 days'")
    await schedules.forget_old(connection)
    assert 10 == len(await schedules.runs(connection, "heal", 99))
