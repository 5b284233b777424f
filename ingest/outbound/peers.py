"""How many processes share a venue's budget while Redis is down."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from db.connections import connected
from db.processes import count_running
from market.errors import StoreError

logger = structlog.get_logger(__name__)

ROLES: Final = ("ingest", "ingest-history")
"""Those that ask venues."""

_REMEMBERED_SECONDS: Final = 5.0


class Peers:
    """Counts the processes that beat; while PostgreSQL is down too, those that were counted last."""

    def __init__(self, url: str, assumed: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Assume so many before the first count."""
        self._url = url
        self._clock = clock
        self._count = assumed
        self._counted_at: float | None = None

    async def __call__(self) -> int:
        """Return by how many processes a budget is divided, this one among them."""
        if self._counted_at is None or self._clock() - self._counted_at > _REMEMBERED_SECONDS:
            self._counted_at = self._clock()
            try:
                async with connected(self._url, "heliograph ingest peers") as connection:
                    self._count = max(1, await count_running(connection, ROLES))
            except StoreError as error:
                logger.warning("peers.uncounted", assumed=self._count, error=str(error))
        return self._count
