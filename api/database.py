"""Connections of the API to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from db.errors import translated

if TYPE_CHECKING:
    from db.connections import Connection, ConnectionPool

_FREE_WITHIN_SECONDS = 10.0


class Database:
    """Lends connections; who comes when all are lent waits, and is told after 10 s that it is busy."""

    def __init__(self, pool: "ConnectionPool") -> None:
        self._pool = pool

    @asynccontextmanager
    async def connection(self) -> "AsyncIterator[Connection]":
        """Lend a connection; raises StoreUnavailableError."""
        with translated("taking a connection to PostgreSQL"):
            async with self._pool.acquire(timeout=_FREE_WITHIN_SECONDS) as connection:
                yield connection
