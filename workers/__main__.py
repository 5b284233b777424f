"""Compose the programs of this package: the live worker, the backfill worker, the scorer, the scheduler."""

import asyncio
import os
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from importlib.metadata import version

import msgspec

from bus import publishing, subjects
from bus.settings import BusSettings
from bus.subscribing import Subscriber
from db.processes import Heartbeat
from db.settings import DatabaseSettings, RetentionSettings
from market.times import SECOND
from runtime.clock import now
from runtime.exporting import Exporter
from runtime.lifecycle import Service, run_services
from runtime.metrics import Metrics
from runtime.settings import RuntimeSettings
from workers.announcing import Announcer
from workers.backfill import BackfillWorker
from workers.claiming import Claimer
from workers.folding import Folder
from workers.housekeeping import Housekeeping
from workers.kinds.catalogue import KINDS
from workers.live import LiveWorker
from workers.models.scoring import Scorer
from workers.models.trainer import Trainer
from workers.nightly import Nightly
from workers.portions import Portion
from workers.renewing import Renewals
from workers.schedule import Scheduler
from workers.settings import WorkerSettings
from workers.tracing import sampling

_BACKFILL_NICENESS = 19
_SCORING_NICENESS = 5


async def run_live(stopping: asyncio.Event) -> None:
    """Be one worker of the live pool until ``stopping`` is set."""
    settings, bus_url = WorkerSettings(), BusSettings().url.get_secret_value()
    with sampling(settings.traced_share) if settings.traced_share else nullcontext() as tracer:
        async with publishing.opened(bus_url) as bus:
            metrics = Metrics("worker-live")
            announcer = Announcer(bus, metrics=metrics, tracer=tracer)
            await _work_live(settings, bus_url, announcer, metrics, stopping)


async def _work_live(
    settings: WorkerSettings, bus_url: str, announcer: Announcer, metrics: Metrics, stopping: asyncio.Event
) -> None:
    url = DatabaseSettings().url.get_secret_value()
    worker = LiveWorker(url, announcer, partial(_claimer, settings, metrics), settings)
    heartbeat = Heartbeat(url, metrics.role, worker.counters, now)
    exporter = Exporter(RuntimeSettings(), metrics, heartbeat)
    async with asyncio.TaskGroup() as group:
        group.create_task(exporter.run(stopping))
        listening = group.create_task(worker.listen(Subscriber(bus_url, [subjects.WAKE])))
        group.create_task(heartbeat.run(stopping))
        await worker.run(stopping)
        listening.cancel()
    await heartbeat.close()


async def run_backfill(stopping: asyncio.Event) -> None:
    """Be one worker of the backfill pool until ``stopping`` is set, behind everybody else on this machine."""
    os.nice(_BACKFILL_NICENESS)
    url = DatabaseSettings().url.get_secret_value()
    async with publishing.opened(BusSettings().url.get_secret_value()) as bus:
        folder, settings, trainer = Folder(KINDS), WorkerSettings(), Trainer(url)
        code_version, renewals = version("heliograph"), Renewals(bus)
        worker = BackfillWorker(url, settings, folder, now, code_version, renewals=renewals)

        def counters() -> dict[str, int]:
            return {**msgspec.to_builtins(worker.totals), **msgspec.to_builtins(trainer.totals)}

        await _run_beating("worker-backfill", [worker, trainer], counters, stopping)


async def run_scoring(stopping: asyncio.Event) -> None:
    """Score closed minutes until ``stopping`` is set, behind those who must not be late."""
    os.nice(_SCORING_NICENESS)
    url = DatabaseSettings().url.get_secret_value()
    scorer = Scorer(url, WorkerSettings())
    await _run_beating("worker-scoring", [scorer], lambda: msgspec.to_builtins(scorer.totals), stopping)


async def run_scheduler(stopping: asyncio.Event) -> None:
    """Be the scheduler, or wait to become it, until ``stopping`` is set."""
    url = DatabaseSettings().url.get_secret_value()
    settings, nightly = WorkerSettings(), Nightly(url, Folder(KINDS), now, version("heliograph"))
    scheduler = Scheduler(
        url, settings, now, Housekeeping(url, settings, now, nightly, RetentionSettings()).works
    )
    await _run_beating("scheduler", [scheduler], lambda: scheduler.runs, stopping)


async def _run_beating(
    role: str,
    services: list[Service],
    counters: Callable[[], dict[str, int]],
    stopping: asyncio.Event,
) -> None:
    heartbeat = Heartbeat(DatabaseSettings().url.get_secret_value(), role, counters, now)
    exporter = Exporter(RuntimeSettings(), Metrics(role), heartbeat)
    async with asyncio.TaskGroup() as group:
        group.create_task(exporter.run(stopping))
        group.create_task(heartbeat.run(stopping))
        group.create_task(run_services(services, stopping))
    await heartbeat.close()


def _claimer(settings: WorkerSettings, metrics: Metrics, portion: Portion) -> Claimer:
    show_every = round(settings.show_after_seconds * SECOND)
    return Claimer(Folder(KINDS), now, version("heliograph"), show_every, portion, metrics=metrics)
