"""Heartbeats: each process tells once a second that it runs and what it has counted."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from db.connections import connected
from db.errors import translated
from db.queries import load
from market.errors import StoreError
from market.times import SECOND
from runtime.lifecycle import wait_at_most

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_sql = load("processes")
_BEAT_EVERY_SECONDS = 1.0
_TRY_AGAIN_AFTER_SECONDS = 0.5


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """A process as its last heartbeat told; times in microseconds."""

    process_id: str
    role: str
    host: str
    pid: int
    started_at: int
    seen_at: int
    stopped_at: int | None
    counters: dict[str, Any]


class Heartbeat:
    """Writes the row of this process, on a connection of its own, through every loss of PostgreSQL."""

    def __init__(
        self, url: str, role: str, counters: Callable[[], Mapping[str, object]], clock: Callable[[], int]
    ) -> None:
        self._url = url
        self._role = role
        self._counters = counters
        self._clock = clock
        self._started_at = clock()
        self.process_id = f"{socket.gethostname()}:{os.getpid()}:{self._started_at}"
        """Names this process for as long as its row is kept."""
        self._beaten_at: int | None = None

    def counted(self) -> Mapping[str, object]:
        """Return what this process has counted."""
        return self._counters()

    def age_seconds(self) -> float | None:
        """Return how long ago a heartbeat was written; None before the first."""
        return None if self._beaten_at is None else (self._clock() - self._beaten_at) / SECOND

    async def run(self, stopping: asyncio.Event) -> None:
        """Beat until ``stopping`` is set."""
        while not stopping.is_set():
            try:
                async with connected(self._url, f"heliograph {self._role} heartbeat") as connection:
                    await self._beat_until(connection, stopping)
            except StoreError as error:
                logger.warning("heartbeat.missed", role=self._role, error=str(error))
                await wait_at_most(stopping, _TRY_AGAIN_AFTER_SECONDS)

    async def close(self) -> None:
        """Write the last row, with the final counters and the time of the end, if PostgreSQL is there."""
        try:
            async with connected(self._url, f"heliograph {self._role} heartbeat") as connection:
                await self._beat(connection, self._clock())
        except StoreError as error:
            logger.warning("heartbeat.end_untold", role=self._role, error=str(error))

    async def _beat_until(self, connection: "Connection", stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            await self._beat(connection, None)
            await wait_at_most(stopping, _BEAT_EVERY_SECONDS)

    async def _beat(self, connection: "Connection", stopped_at: int | None) -> None:
        counters = msgspec.json.encode(self._counters()).decode()
        with translated("writing a heartbeat"):
            await connection.execute(
                _sql.beat,
                self.process_id,
                self._role,
                socket.gethostname(),
                os.getpid(),
                self._started_at,
                stopped_at,
                counters,
            )
        self._beaten_at = self._clock()


async def seconds_since_beat(connection: "Connection", role: str, host: str = "") -> float | None:
    """Return how long ago a running process of this role was seen, or None when there is none."""
    with translated("reading heartbeats"):
        age: float | None = await connection.fetchval(_sql.freshest, role, host)
    return age


async def count_running(connection: "Connection", roles: Sequence[str]) -> int:
    """Return how many processes of these roles were seen running within 10 s."""
    with translated("counting processes"):
        running: int = await connection.fetchval(_sql.running, roles)
    return running


async def processes(connection: "Connection", role: str, started_after: int) -> list[ProcessRow]:
    """Return the processes of one role that started at ``started_after`` (microseconds) or later."""
    with translated("reading heartbeats"):
        rows = await connection.fetch(_sql.totals, role, started_after)
    return [_row(dict(row)) for row in rows]


def _row(columns: dict[str, Any]) -> ProcessRow:
    counters = msgspec.json.decode(columns.pop("counters"))
    return ProcessRow(counters=counters, **columns)


async def forget_old(connection: "Connection") -> None:
    """Drop the rows of processes that were last seen a week ago."""
    with translated("forgetting old heartbeats"):
        await connection.execute(_sql.forget)
