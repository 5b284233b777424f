"""Writes how the connections do, about once a second."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from db.connections import connected
from db.sockets import SocketState, tell
from market.errors import StoreError
from runtime.lifecycle import wait_at_most

logger = structlog.get_logger(__name__)

_EVERY_SECONDS = 1.0


class SocketReporter:
    """Keeps this process's rows of ``sockets`` through every loss of PostgreSQL."""

    def __init__(self, url: str, process_id: str, states: Callable[[], Sequence[SocketState]]) -> None:
        self._url = url
        self._process_id = process_id
        self._states = states

    async def run(self, stopping: asyncio.Event) -> None:
        """Write until ``stopping`` is set."""
        while not stopping.is_set():
            try:
                await self._write_until(stopping)
            except StoreError as error:
                logger.warning("sockets.untold", error=str(error))
                await wait_at_most(stopping, _EVERY_SECONDS)

    async def close(self) -> None:
        """Have no rows any more."""
        async with connected(self._url, "heliograph ingest sockets") as connection:
            await tell(connection, self._process_id, [])

    async def _write_until(self, stopping: asyncio.Event) -> None:
        async with connected(self._url, "heliograph ingest sockets") as connection:
            while not stopping.is_set():
                await tell(connection, self._process_id, self._states())
                await wait_at_most(stopping, _EVERY_SECONDS)
