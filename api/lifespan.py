"""Compose what the API consists of, and keep it for as long as it is served."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import NamedTuple

from api import cache
from api.breaker import Breaker
from api.catalogue import Catalogue
from api.cursors import Cursors
from api.database import Database, Replica
from api.hub import Hub
from api.limits import Limits
from api.settings import ApiSettings
from api.state import Explaining, Naming, State
from bus import limits, subjects
from bus.subscribing import Subscriber
from db import installation
from db.connections import pooled
from db.processes import Heartbeat
from db.slow import watching
from market.errors import InvalidInputError, UnknownVenueError
from runtime.clock import now
from runtime.metrics import Metrics


class Addresses(NamedTuple):
    """Where the stores are; ``read_url`` is a replica's, which history is read from."""

    database_url: str
    redis_url: str
    read_url: str | None = None


@asynccontextmanager
async def composed(
    settings: ApiSettings, addresses: Addresses, naming: Naming, explaining: Explaining
) -> AsyncIterator[State]:
    """Make everything that requests share; the hub is made, and is to be run by the caller."""
    metrics = Metrics()
    async with AsyncExitStack() as opened:
        database, history = await _databases(settings, addresses, opened)
        timeout = settings.cache_timeout_seconds
        shared = await opened.enter_async_context(limits.opened(addresses.redis_url, timeout))
        catalogue = Catalogue(database, lambda exchange: _has_adapter(naming, exchange))
        await catalogue.refresh()
        async with database.connection() as connection:
            secret = await installation.cursor_key(connection)
        subscriber = Subscriber(addresses.redis_url, [subjects.PUBLICATIONS, subjects.LATEST])
        hub = Hub(database, catalogue, subscriber, settings, metrics)
        yield State(
            settings=settings,
            database=database,
            history=history,
            catalogue=catalogue,
            cache=await opened.enter_async_context(cache.opened(addresses.redis_url, settings, metrics)),
            cursors=Cursors(secret),
            heartbeat=Heartbeat(addresses.database_url, metrics.role, hub.counters, now),
            hub=hub,
            limits=Limits(shared, Breaker(settings.cache_rest_seconds, monotonic), monotonic),
            metrics=metrics,
            naming=naming,
            explaining=explaining,
        )


async def _databases(
    settings: ApiSettings, addresses: Addresses, opened: AsyncExitStack
) -> tuple[Database, Database]:
    """Return where everything is read, and where history is; the replica need not be there."""
    size = settings.database_connections
    session = {"statement_timeout": f"{settings.statement_seconds * 1000:.0f}"}
    slow = await opened.enter_async_context(
        watching(addresses.database_url, "heliograph api plans", settings.slow_query_seconds)
    )
    pooling = pooled(addresses.database_url, "heliograph api", size, session, watch=slow.watch)
    database = Database(await opened.enter_async_context(pooling))
    if addresses.read_url is None:
        return database, database
    reading = pooled(
        addresses.read_url,
        "heliograph api",
        size,
        session,
        at_once=0,
        watch=slow.watch,
        statements=settings.read_statements,
    )
    breaker = Breaker(settings.replica_rest_seconds, asyncio.get_running_loop().time)
    return database, Replica(await opened.enter_async_context(reading), database, breaker)


def _has_adapter(naming: Naming, exchange: str) -> bool:
    try:
        naming(exchange, "BTC/USD", None)
    except UnknownVenueError:
        return False
    except InvalidInputError:
        pass  # the exchange exists; what it lists, nobody asked
    return True
