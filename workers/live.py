"""The live pool's worker: claims when woken, or when it is time to look."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from bus import subjects
from bus.subscribing import Subscriber
from db import claims
from db.connections import connect
from market.errors import StoreBusyError, StoreError
from runtime.lifecycle import wait_at_most
from workers.announcing import Announcer
from workers.claiming import Claimed, Claimer
from workers.portions import Portion
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_TRY_AGAIN_AFTER_SECONDS = 0.2
_COUNT_WORKERS_EVERY_SECONDS = 1.0
_REST_AFTER_APPLYING = 4.0
"""Times as long as applying a staged result took: live work has four fifths of the time, at least."""

_REST_AFTER_FAILING_SECONDS = 10.0
"""Before something staged is tried again that could not be told: live work goes on meanwhile."""


class Totals(msgspec.Struct):
    """What this worker has committed since it started."""

    claims: int = 0
    batches: int = 0
    ticks: int = 0
    refolded: int = 0
    """Ticks folded again to take shards over."""
    publications: int = 0
    repairs: int = 0
    """Staged results applied."""
    signals: Counter[str] = msgspec.field(default_factory=Counter)
    """By kind."""

    def add(self, claimed: Claimed) -> None:
        """Count one claim."""
        self.claims += 1
        self.batches += claimed.batches
        self.ticks += claimed.ticks
        self.refolded += claimed.refolded
        self.publications += len(claimed.publications)
        self.signals.update(claimed.signals)


class LiveWorker:
    """Claims, folds, commits, publishes, until told to stop; never stops in mid-claim."""

    def __init__(
        self,
        url: str,
        announcer: Announcer,
        claimer: Callable[[Portion], Claimer],
        settings: WorkerSettings,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url
        self._announcer = announcer
        self._new_claimer = claimer
        self._portion = Portion()
        self._settings = settings
        self._sleep = sleep
        self._woken = asyncio.Event()
        self._apply_again_at = 0.0
        self.totals = Totals()

    def counters(self) -> dict[str, Any]:
        """Return what heartbeats carry."""
        return {
            **msgspec.to_builtins(self.totals),
            "unheard": self._announcer.unheard,
            "published": self._announcer.published,
            "publishing_seconds": self._announcer.publishing_seconds,
        }

    async def listen(self, subscriber: Subscriber) -> None:
        """Wake up at every wake-up on the bus, for ever."""
        async for heard in subscriber.listen():
            if heard.subject == subjects.WAKE or heard.connected:
                self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, through every loss of PostgreSQL; publish beside."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._announcer.run())
            await self._run(stopping)
            self._announcer.close()

    async def _run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await self._run_once(stopping)
            except StoreError as error:
                logger.warning("worker.interrupted", error=str(error), retryable=error.retryable)
                await self._sleep(_TRY_AGAIN_AFTER_SECONDS)

    async def _run_once(self, stopping: asyncio.Event) -> None:
        connection = await connect(self._url, "heliograph worker-live", claims.SESSION)
        claimer = self._new_claimer(self._portion)
        try:
            await self._work(connection, claimer, stopping)
        finally:
            connection.terminate()  # nothing is open here but what a failure left: let the server undo it

    async def _work(self, connection: "Connection", claimer: Claimer, stopping: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        workers, count_again_at = 1, 0.0
        while not stopping.is_set():
            if clock() >= count_again_at:
                workers = await claims.count_live_workers(connection)
                count_again_at = clock() + _COUNT_WORKERS_EVERY_SECONDS
            self._woken.clear()
            await self._claim(connection, claimer, workers)

    async def _claim(self, connection: "Connection", claimer: Claimer, workers: int) -> None:
        """Claim once and wait as long as the next claim has to."""
        try:
            await self._work_once(connection, claimer, workers)
        except (StoreBusyError, MemoryError) as error:
            logger.warning("worker.claim_halved", error=f"{type(error).__name__}: {error}")
            await self._sleep(_TRY_AGAIN_AFTER_SECONDS)

    async def _work_once(self, connection: "Connection", claimer: Claimer, workers: int) -> None:
        claimed = await claimer.claim(connection, workers)
        if claimed is None:
            await self._apply(connection, claimer, workers)
            await wait_at_most(self._woken, self._idle_seconds())
            return
        self.totals.add(claimed)
        self._announcer.tell(claimed.publications, claimed.latest)
        if not claimed.is_full:
            await self._apply(connection, claimer, workers)
        await self._sleep(self._settings.commit_after_seconds)

    async def _apply(self, connection: "Connection", claimer: Claimer, workers: int) -> None:
        """Apply one staged result, if it is time and live work is done, and rest."""
        clock = asyncio.get_running_loop().time
        began = clock()
        if began < self._apply_again_at:
            return
        self._apply_again_at = began + _REST_AFTER_FAILING_SECONDS
        applied = await claimer.apply(connection, workers)
        if applied is None:
            self._apply_again_at = clock() + self._settings.poll_after_seconds
            return
        self._apply_again_at = clock() + _REST_AFTER_APPLYING * (clock() - began)
        self.totals.repairs += not applied.dropped
        self.totals.publications += len(applied.publications)
        self.totals.signals.update(applied.signals)
        self._announcer.renew(applied.instrument_id)
        self._announcer.tell(applied.publications)

    def _idle_seconds(self) -> float:
        """Return how long to wait for a wake-up: until it is time to look again."""
        rest = self._apply_again_at - asyncio.get_running_loop().time()
        return min(self._settings.poll_after_seconds, max(rest, 0.0))
