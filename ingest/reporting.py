"""Writes how the feeds do, about once a second."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from db.connections import connected
from db.feeds import FeedState, upsert
from market.errors import StoreError
from runtime.lifecycle import wait_at_most

logger = structlog.get_logger(__name__)

_EVERY_SECONDS = 1.0


class FeedReporter:
    """Keeps the rows of ``feeds``, on a connection of its own, through every loss of PostgreSQL."""

    def __init__(self, url: str, states: Callable[[], Sequence[FeedState]]) -> None:
        self._url = url
        self._states = states

    async def run(self, stopping: asyncio.Event) -> None:
        """Write until ``stopping`` is set."""
        while not stopping.is_set():
            try:
                await self._write_until(stopping)
            except StoreError as error:
                logger.warning("feeds.untold", error=str(error))
                await wait_at_most(stopping, _EVERY_SECONDS)

    async def close(self) -> None:
        """Write how the feeds ended."""
        async with connected(self._url, "heliograph ingest feeds") as connection:
            await upsert(connection, self._states())

    async def _write_until(self, stopping: asyncio.Event) -> None:
        async with connected(self._url, "heliograph ingest feeds") as connection:
            while not stopping.is_set():
                await upsert(connection, self._states())
                await wait_at_most(stopping, _EVERY_SECONDS)
