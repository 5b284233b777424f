"""Compose and run the API: REST, the stream, the page."""

import asyncio

from api.lifespan import Addresses, composed
from api.serving import Server, bind
from api.settings import ApiSettings
from api.state import Explaining, Naming
from bus.settings import BusSettings
from db.settings import DatabaseSettings


async def run(
    naming: Naming, explaining: Explaining, stopping: asyncio.Event, *, proxy_headers: bool = False
) -> None:
    """Serve until ``stopping`` is set; ``proxy_headers`` overrides its setting."""
    settings = ApiSettings(proxy_headers=True) if proxy_headers else ApiSettings()
    stores = DatabaseSettings()
    database_url = stores.url.get_secret_value()
    read_url = stores.read_url.get_secret_value() if stores.read_url else None
    addresses = Addresses(database_url, BusSettings().url.get_secret_value(), read_url)
    with bind(settings) as listener:
        async with composed(settings, addresses, naming, explaining) as state:
            heartbeat = state["heartbeat"]
            async with asyncio.TaskGroup() as group:
                hub = group.create_task(state["hub"].run())
                group.create_task(heartbeat.run(stopping))
                await Server(state, listener).run(stopping)
                hub.cancel()
            await heartbeat.close()
