"""Compose and run the API: REST, the stream, the page."""

import asyncio

from api.lifespan import composed
from api.serving import Server, bind
from api.settings import ApiSettings
from api.state import Explaining, Naming
from bus.settings import BusSettings
from db.processes import Heartbeat
from db.settings import DatabaseSettings
from runtime.clock import now


async def run(naming: Naming, explaining: Explaining, stopping: asyncio.Event) -> None:
    """Serve until ``stopping`` is set."""
    settings = ApiSettings()
    database_url, redis_url = DatabaseSettings().url.get_secret_value(), BusSettings().url.get_secret_value()
    with bind(settings) as listener:
        async with composed(settings, database_url, redis_url, naming, explaining) as state:
            heartbeat = Heartbeat(database_url, "api", state["hub"].counters, now)
            async with asyncio.TaskGroup() as group:
                hub = group.create_task(state["hub"].run())
                group.create_task(heartbeat.run(stopping))
                await Server(state, listener).run(stopping)
                hub.cancel()
            await heartbeat.close()
