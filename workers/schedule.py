"""The scheduler: one process, elected, whose jobs keep the house ready."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from db import trainings
from db.connections import connected
from db.leadership import SCHEDULER, still_connected, try_lead
from db.partitions import days_ahead, ensure_days
from db.processes import forget_old
from db.sockets import forget_old as forget_old_sockets
from db.trained_models import forget_old as forget_old_models
from db.trainings import History
from market.errors import StoreError
from market.times import DAY, floor, to_datetime
from runtime.clock import Clock
from runtime.lifecycle import wait_at_most
from workers.nightly import Nightly
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS = 2.0
_TRAININGS_EVERY_SECONDS = 600


class Scheduler:
    """Waits to be elected, then runs the jobs until told to stop or until the lead is lost."""

    def __init__(self, url: str, settings: WorkerSettings, clock: Clock, nightly: Nightly) -> None:
        self._url = url
        self._settings = settings
        self._clock = clock
        self._nightly = nightly
        self.runs: dict[str, int] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Lead when possible, through every loss of PostgreSQL."""
        while not stopping.is_set():
            try:
                async with connected(self._url, "heliograph scheduler") as connection:
                    if await try_lead(connection, SCHEDULER):
                        await self._lead(connection, stopping)
            except StoreError as error:
                logger.warning("scheduler.interrupted", error=str(error))
            await wait_at_most(stopping, _LOOK_EVERY_SECONDS)

    async def _lead(self, connection: "Connection", stopping: asyncio.Event) -> None:
        logger.info("scheduler.elected")
        jobs = AsyncIOScheduler(timezone="UTC")
        self._add(jobs, "partitions", 3600, self.make_partitions)
        self._add(jobs, "forget", 86_400, self.forget)
        self._add(jobs, "train", _TRAININGS_EVERY_SECONDS, self.ask_for_trainings)
        at_night = CronTrigger(hour=self._settings.verify_hour, minute=0, timezone="UTC")
        self._schedule(jobs, "verify", at_night, self.verify)
        jobs.start()
        try:
            while not stopping.is_set():
                await still_connected(connection)
                await wait_at_most(stopping, _LOOK_EVERY_SECONDS)
        finally:
            jobs.shutdown(wait=False)

    async def make_partitions(self) -> None:
        """Have partitions for today and the days ahead."""
        async with connected(self._url, "heliograph scheduler partitions") as connection:
            await ensure_days(connection, days_ahead(self._clock(), self._settings.partitions_ahead_days))

    async def forget(self) -> None:
        """Drop what processes told that ended long ago."""
        async with connected(self._url, "heliograph scheduler forget") as connection:
            await forget_old(connection)
            await forget_old_sockets(connection)
            await forget_old_models(connection)

    async def ask_for_trainings(self) -> None:
        """Have models trained where there is enough history, and none was asked for lately."""
        async with connected(self._url, "heliograph scheduler train") as connection:
            for history in await trainings.histories(connection, self._settings.train_days):
                if self._due(history):
                    await trainings.enqueue(connection, history)

    def _due(self, history: History) -> bool:
        asked = history.asked_seconds_ago
        lately = asked is not None and asked < self._settings.train_after_seconds
        return history.minutes >= self._settings.train_least_minutes and not (history.waits or lately)

    async def verify(self) -> None:
        """Verify the day before."""
        async with connected(self._url, "heliograph scheduler verify") as connection:
            await self._nightly.run(connection, floor(self._clock(), DAY) - DAY)

    def _add(
        self, jobs: AsyncIOScheduler, name: str, every_seconds: int, work: Callable[[], Awaitable[None]]
    ) -> None:
        at_once = to_datetime(self._clock())
        self._schedule(jobs, name, IntervalTrigger(seconds=every_seconds), work, next_run_time=at_once)

    def _schedule(
        self,
        jobs: AsyncIOScheduler,
        name: str,
        trigger: BaseTrigger,
        work: Callable[[], Awaitable[None]],
        **options: object,
    ) -> None:
        async def run() -> None:
            try:
                await work()
            except StoreError as error:
                logger.warning("scheduler.job_failed", job=name, error=str(error))
            else:
                self.runs[name] = self.runs.get(name, 0) + 1
                logger.info("scheduler.job_done", job=name)

        jobs.add_job(
            run, trigger, id=name, coalesce=True, max_instances=1, misfire_grace_time=None, **options
        )
