"""Compose what the API consists of, and keep it for as long as it is served."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api import cache
from api.catalogue import Catalogue
from api.cursors import Cursors
from api.database import Database
from api.hub import Hub
from api.settings import ApiSettings
from api.state import Explaining, Naming, State
from bus import subjects
from bus.subscribing import Subscriber
from db import installation
from db.connections import pooled
from market.errors import InvalidInputError, UnknownVenueError
from runtime.metrics import Metrics


@asynccontextmanager
async def composed(
    settings: ApiSettings, database_url: str, redis_url: str, naming: Naming, explaining: Explaining
) -> AsyncIterator[State]:
    """Make everything that requests share; the hub is made, and is to be run by the caller."""
    metrics = Metrics()
    async with (
        pooled(database_url, "heliograph api", settings.database_connections) as pool,
        cache.opened(redis_url, settings, metrics) as answers,
    ):
        database = Database(pool)
        catalogue = Catalogue(database, lambda exchange: _has_adapter(naming, exchange))
        await catalogue.refresh()
        async with database.connection() as connection:
            secret = await installation.cursor_key(connection)
        subscriber = Subscriber(redis_url, [subjects.PUBLICATIONS, subjects.LATEST])
        yield State(
            settings=settings,
            database=database,
            catalogue=catalogue,
            cache=answers,
            cursors=Cursors(secret),
            hub=Hub(database, catalogue, subscriber, settings, metrics),
            metrics=metrics,
            naming=naming,
            explaining=explaining,
        )


def _has_adapter(naming: Naming, exchange: str) -> bool:
    try:
        naming(exchange, "BTC/USD", None)
    except UnknownVenueError:
        return False
    except InvalidInputError:
        pass  # the exchange exists; what it lists, nobody asked
    return True
