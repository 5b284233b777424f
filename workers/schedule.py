"""The scheduler: one process, elected, whose chores keep the house ready. Each run is a row."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from db import schedules
from db.connections import connected
from db.leadership import SCHEDULER, try_lead
from db.schedules import DONE, FAILED
from market.errors import StoreError
from runtime.clock import Clock
from runtime.lifecycle import wait_at_most
from workers import chores
from workers.chores import Chore, Outcome
from workers.housekeeping import Work
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_ALWAYS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}


class Scheduler:
    """Waits to be elected, then has chores done until told to stop or until the lead is lost."""

    def __init__(
        self,
        url: str,
        settings: WorkerSettings,
        clock: Clock,
        works: Mapping[Chore, Work],
        *,
        look_every_seconds: float = 2.0,
    ) -> None:
        self._url = url
        self._settings = settings
        self._clock = clock
        self._works = works
        self._look_every_seconds = look_every_seconds
        self._by_name = {chore.name: chore for chore in works}
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unrecorded: list[tuple[int, str, str]] = []
        self.runs: dict[str, int] = {}
        """How often each chore was done."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Lead when possible, through every loss of PostgreSQL."""
        while not stopping.is_set():
            try:
                async with connected(self._url, "heliograph scheduler") as connection:
                    if await try_lead(connection, SCHEDULER):
                        await self._lead(connection, stopping)
            except StoreError as error:
                logger.warning("scheduler.interrupted", error=str(error))
            await wait_at_most(stopping, self._look_every_seconds)

    async def _lead(self, connection: "Connection", stopping: asyncio.Event) -> None:
        logger.info("scheduler.elected")
        await self._record(connection)
        await schedules.interrupt(connection)
        jobs = AsyncIOScheduler(timezone="UTC")
        await self._plan(connection, jobs)
        jobs.start()
        try:
            while not stopping.is_set():
                await self._heed(connection, jobs)
                await wait_at_most(stopping, self._look_every_seconds)
        finally:
            jobs.shutdown(wait=False)

    async def _plan(self, connection: "Connection", jobs: AsyncIOScheduler) -> None:
        last, paused = await schedules.last(connection), await schedules.paused(connection)
        for chore in self._works:
            before = last.get(chore.name)
            since = before.interrupted_since if before else None
            due = chores.next_run(chore, before, self._settings, self._clock())
            jobs.add_job(
                self._due,
                chores.trigger(chore, self._settings),
                args=(chore, since),
                id=chore.name,
                next_run_time=None if chore.name in paused else due,
                **_ALWAYS,
            )

    async def _heed(self, connection: "Connection", jobs: AsyncIOScheduler) -> None:
        """Do what commands ask for: run, pause, resume."""
        await self._record(connection)
        for run_id, name in await schedules.begin_asked(connection):
            jobs.add_job(self._asked, args=(name, run_id), id=f"run {run_id}", misfire_grace_time=None)
        paused, last = await schedules.paused(connection), None
        for chore in self._works:
            waits = jobs.get_job(chore.name).next_run_time is None
            if chore.name in paused and not waits:
                jobs.pause_job(chore.name)
            elif waits and chore.name not in paused:
                last = last or await schedules.last(connection)
                due = chores.next_run(chore, last.get(chore.name), self._settings, self._clock())
                jobs.modify_job(chore.name, next_run_time=due)

    async def _due(self, chore: Chore, since: int | None) -> None:
        """Run a chore whose time has come."""
        try:
            async with connected(self._url, f"heliograph scheduler {chore.name}") as connection:
                run_id = await schedules.begin(connection, chore.name)
        except StoreError as error:
            logger.warning("chore.not_begun", chore=chore.name, error=str(error))
            return
        await self._run(chore, run_id, since)

    async def _asked(self, name: str, run_id: int) -> None:
        """Run a chore that was asked for."""
        chore = self._by_name.get(name)
        if chore is None:
            await self._finish(name, run_id, Outcome(f"this version has no chore {name}", failed=True))
        else:
            await self._run(chore, run_id, None)

    async def _run(self, chore: Chore, run_id: int, since: int | None) -> None:
        async with self._one_at_a_time[chore.name]:
            try:
                outcome = await self._works[chore](since)
            except StoreError as error:
                outcome = Outcome(str(error), failed=True)
            except Exception as error:
                logger.exception("chore.broken", chore=chore.name)
                outcome = Outcome(f"{type(error).__name__}: {error}", failed=True)
            await self._finish(chore.name, run_id, outcome)

    async def _finish(self, name: str, run_id: int, outcome: Outcome) -> None:
        """Tell the end, and record it as soon as PostgreSQL can be told."""
        state = FAILED if outcome.failed else DONE
        tell = logger.warning if outcome.failed else logger.info
        tell("chore.ended", chore=name, state=state, detail=outcome.detail)
        self.runs[name] = self.runs.get(name, 0) + (not outcome.failed)
        self._unrecorded.append((run_id, state, outcome.detail))
        try:
            async with connected(self._url, f"heliograph scheduler {name}") as connection:
                await self._record(connection)
        except StoreError as error:
            logger.warning("chore.end_unrecorded", chore=name, error=str(error))

    async def _record(self, connection: "Connection") -> None:
        for ended in list(self._unrecorded):
            await schedules.finish(connection, *ended)
            if ended in self._unrecorded:
                self._unrecorded.remove(ended)
