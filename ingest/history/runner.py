"""Chunks are claimed, worked on, and given back, through every loss of PostgreSQL."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import structlog

from db import chunks
from db.chunks import BACKFILL, Chunk, Lease
from db.connections import connected
from ingest.history.backfilling import Backfilling
from ingest.history.fetching import Desk
from ingest.history.healing import Healing
from ingest.history.slots import Held, free
from market.errors import StoreError
from runtime.backoff import delays
from runtime.lifecycle import wait_at_most

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

SESSION: Final = {
    "synchronous_commit": "off",  # safe: a crash takes back a page and its cursor, and both are done again
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "5s",  # live may wait for it: a page is stored without a pause
}
"""How the database treats who stores a past."""

NICENESS: Final = 19
"""How far behind everybody else on this machine history is worked on."""

_NAME: Final = "heliograph ingest-history"
_FIRST_RETRY_SECONDS: Final = 0.1
_RETRY_CAP_SECONDS: Final = 2.0
_DRAIN_SECONDS: Final = 1.5


class Runner:
    """Works on several chunks at a time, each on a connection of its own."""

    def __init__(self, url: str, desk: Desk, holder: str) -> None:
        """Hold leases in the name of ``holder``, which no other process has."""
        self._url = url
        self._desk = desk
        self._holder = holder
        self._slots = range(desk.settings.chunks_at_once)
        self._held: dict[int, Held] = {}
        self._claiming = asyncio.Lock()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set; what is under way then is given back to whoever comes next."""
        async with asyncio.TaskGroup() as group:
            slots = {group.create_task(self._work_on(slot, stopping)) for slot in self._slots}
            await stopping.wait()
            _, busy = await asyncio.wait(slots, timeout=_DRAIN_SECONDS)
            for slot in busy:
                slot.cancel()
        await self._release()

    async def _work_on(self, slot: int, stopping: asyncio.Event) -> None:
        waits = _waits()
        while not stopping.is_set():
            try:
                async with connected(self._url, _NAME, SESSION) as connection:
                    lease = self._lease(slot)
                    await chunks.release(connection, lease.holder)
                    waits = _waits()
                    await self._work(slot, connection, lease, stopping)
            except StoreError as error:
                logger.warning("history.interrupted", error=str(error), retryable=error.retryable)
                await wait_at_most(stopping, next(waits))

    async def _work(self, slot: int, connection: "Connection", lease: Lease, stopping: asyncio.Event) -> None:
        healing = Healing(connection, self._desk, lease)
        backfilling = Backfilling(connection, self._desk, lease)
        while not stopping.is_set():
            chunk = await self._claim(slot, connection, lease)
            if chunk is None:
                await wait_at_most(stopping, self._desk.settings.poll_after_seconds)
                continue
            try:
                await (backfilling.backfill if chunk.kind == BACKFILL else healing.heal)(chunk)
            finally:
                del self._held[slot]

    async def _claim(self, slot: int, connection: "Connection", lease: Lease) -> Chunk | None:
        """Claim for a slot, one slot after the other: what it may take depends on what the others have."""
        async with self._claiming:
            hands = free(len(self._slots), self._held.values())
            chunk = await chunks.claim(connection, lease, hands)
            if chunk is not None:
                self._held[slot] = Held(chunk.exchange, chunk.kind)
            return chunk

    async def _release(self) -> None:
        try:
            async with connected(self._url, _NAME) as connection:
                for slot in self._slots:
                    await chunks.release(connection, self._lease(slot).holder)
        except StoreError as error:
            logger.warning("history.leases_kept", error=str(error))

    def _lease(self, slot: int) -> Lease:
        return Lease(f"{self._holder}/{slot}", self._desk.settings.lease_seconds)


def _waits() -> Iterator[float]:
    return delays(_FIRST_RETRY_SECONDS, _RETRY_CAP_SECONDS)
