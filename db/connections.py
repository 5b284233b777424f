"""Connections on which times are microseconds."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from db.errors import translated

if TYPE_CHECKING:
    from asyncpg.pool import Pool, PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    ConnectionPool = Pool[asyncpg.Record]

_POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01, where PostgreSQL counts from, in microseconds since 1970."""

_KEEPALIVE = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}


async def connect(
    url: str, name: str, settings: Mapping[str, str] | None = None
) -> "asyncpg.Connection[asyncpg.Record]":
    """Open a connection that shows up as ``name`` in pg_stat_activity, with these session settings.

    Raises StoreUnavailableError when nobody answers there within 10 s.
    """
    with translated("connecting to PostgreSQL"):
        connection = await asyncpg.connect(url, timeout=10, server_settings=_settings(name, settings))
        await _speak_microseconds(connection)
        return connection


@asynccontextmanager
async def connected(
    url: str, name: str, settings: Mapping[str, str] | None = None
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Open a connection and close it at the end."""
    connection = await connect(url, name, settings)
    try:
        yield connection
    finally:
        await _close(connection)


@asynccontextmanager
async def pooled(  # noqa: PLR0913 - what it needs, and what it may have by name
    url: str,
    name: str,
    size: int,
    settings: Mapping[str, str] | None = None,
    *,
    at_once: int = 1,
    watch: "Callable[[asyncpg.connection.LoggedQuery], None] | None" = None,
    statements: int = 100,
) -> AsyncIterator["ConnectionPool"]:
    """Open a pool of at most ``size`` connections, some ``at_once``, and close it at the end.

    They have these session settings, and keep so many ``statements`` prepared; ``watch`` is told of each
    statement when it has ended.
    """

    async def begin(connection: "Connection") -> None:
        await _speak_microseconds(connection)
        if watch is not None:
            connection.add_query_logger(watch)

    with translated("connecting to PostgreSQL"):
        pool = await asyncpg.create_pool(
            url,
            min_size=at_once,
            max_size=size,
            timeout=10,
            command_timeout=60,
            statement_cache_size=statements,
            server_settings=_settings(name, settings),
            init=begin,
            reset=_leave,
        )
    try:
        yield pool
    finally:
        await pool.close()


async def _leave(_: "Connection") -> None:
    """Give a connection back as it is: nobody here sets anything on one that he borrows.

    The driver still ends a transaction that was left open; all else that it would undo costs a round trip.
    """


async def _close(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Say goodbye; a server that went away in the middle of an operation cannot hear it."""
    try:
        await connection.close(timeout=5)
    except (
        OSError,
        TimeoutError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ):
        connection.terminate()


def _settings(name: str, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"application_name": name, "jit": "off", **_KEEPALIVE, **(settings or {})}


async def _speak_microseconds(connection: "Connection") -> None:
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=lambda ts: (ts - _POSTGRES_EPOCH,),
        decoder=lambda parts: parts[0] + _POSTGRES_EPOCH,
        format="tuple",
    )
