"""Connections of the API to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from api.breaker import Breaker
from db.errors import translated
from market.errors import StoreUnavailableError

if TYPE_CHECKING:
    from db.connections import Connection, ConnectionPool

logger = structlog.get_logger(__name__)

_FREE_WITHIN_SECONDS = 10.0


class Database:
    """Lends connections; who comes when all are lent waits, and is told after 10 s that it is busy."""

    def __init__(self, pool: "ConnectionPool") -> None:
        self._pool = pool

    def usage(self) -> tuple[int, int]:
        """Return how many connections are lent, and how many are idle."""
        idle = self._pool.get_idle_size()
        return self._pool.get_size() - idle, idle

    @asynccontextmanager
    async def connection(self) -> "AsyncIterator[Connection]":
        """Lend a connection; raises StoreUnavailableError."""
        with translated("taking a connection to PostgreSQL"):
            async with self._pool.acquire(timeout=_FREE_WITHIN_SECONDS) as connection:
                yield connection


class Replica(Database):
    """Lends connections to a replica; while nobody answers there, to the database itself."""

    def __init__(self, pool: "ConnectionPool", primary: Database, breaker: Breaker) -> None:
        """Leave a replica that failed alone for as long as ``breaker`` says."""
        super().__init__(pool)
        self._primary = primary
        self._breaker = breaker

    @asynccontextmanager
    async def connection(self) -> "AsyncIterator[Connection]":
        """Lend a connection; raises StoreUnavailableError."""
        async with AsyncExitStack() as lent:
            connection = await self._own(lent) if self._breaker.allows() else None
            if connection is None:
                connection = await lent.enter_async_context(self._primary.connection())
            yield connection

    def own(self) -> "AbstractAsyncContextManager[Connection]":
        """Lend a connection to the replica and nobody else; raises StoreUnavailableError."""
        return super().connection()

    async def _own(self, lent: AsyncExitStack) -> "Connection | None":
        try:
            connection = await lent.enter_async_context(self.own())
        except StoreUnavailableError as error:
            self._breaker.failed()
            logger.warning("replica.unavailable", error=str(error))
            return None
        self._breaker.succeeded()
        return connection
