"""The live pool's worker: claims when woken, or when it is time to look."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import structlog

from bus import subjects
from bus.publishing import Bus
from bus.subscribing import Subscriber
from db.claims import count_live_workers
from db.connections import connect
from market.errors import BusUnavailableError, StoreError
from runtime.lifecycle import wait_at_most
from workers.claiming import Claimed, Claimer
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_SESSION = {"idle_in_transaction_session_timeout": "15s", "statement_timeout": "60s"}
"""A worker that hangs in mid-claim gives its shards back."""

_TRY_AGAIN_AFTER_SECONDS = 0.2
_COUNT_WORKERS_EVERY_SECONDS = 1.0


class Totals(msgspec.Struct):
    """What this worker has committed since it started."""

    claims: int = 0
    batches: int = 0
    ticks: int = 0
    refolded: int = 0
    """Ticks folded again to take shards over."""
    publications: int = 0
    unheard: int = 0
    """Publications that the bus did not take; hubs find them in the log."""
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

    def __init__(self, url: str, bus: Bus, claimer: Callable[[], Claimer], settings: WorkerSettings) -> None:
        self._url = url
        self._bus = bus
        self._new_claimer = claimer
        self._settings = settings
        self._woken = asyncio.Event()
        self.totals = Totals()

    async def listen(self, subscriber: Subscriber) -> None:
        """Wake up at every wake-up on the bus, for ever."""
        async for heard in subscriber.listen():
            if heard.subject == subjects.WAKE or heard.connected:
                self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, through every loss of PostgreSQL."""
        while not stopping.is_set():
            try:
                await self._run_once(stopping)
            except StoreError as error:
                logger.warning("worker.interrupted", error=str(error), retryable=error.retryable)
                await asyncio.sleep(_TRY_AGAIN_AFTER_SECONDS)

    async def _run_once(self, stopping: asyncio.Event) -> None:
        connection = await connect(self._url, "heliograph worker-live", _SESSION)
        claimer = self._new_claimer()
        try:
            await self._work(connection, claimer, stopping)
        finally:
            connection.terminate()  # nothing is open here but what a failure left: let the server undo it

    async def _work(self, connection: "Connection", claimer: Claimer, stopping: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        workers, count_again_at = 1, 0.0
        while not stopping.is_set():
            if clock() >= count_again_at:
                workers = await count_live_workers(connection)
                count_again_at = clock() + _COUNT_WORKERS_EVERY_SECONDS
            self._woken.clear()
            claimed = await claimer.claim(connection, workers)
            if claimed is None:
                await wait_at_most(self._woken, self._settings.poll_after_seconds)
            else:
                await self._tell(claimed)
                await asyncio.sleep(self._settings.commit_after_seconds)

    async def _tell(self, claimed: Claimed) -> None:
        self.totals.add(claimed)
        if not claimed.publications:
            return
        try:
            await self._bus.publish(claimed.publications)
        except BusUnavailableError as error:
            self.totals.unheard += len(claimed.publications)
            logger.warning("worker.unheard", publications=len(claimed.publications), error=str(error))
