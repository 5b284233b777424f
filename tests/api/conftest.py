"""The API as it is served: uvicorn on a free port, PostgreSQL, Valkey, real sockets."""

from collections.abc import AsyncIterator

import pytest

from api.settings import ApiSettings
from bus import publishing
from db.connections import connected
from tests.api.peers import Served, Worker, serving


@pytest.fixture
async def worker(postgres_url: str, redis_url: str) -> AsyncIterator[Worker]:
    async with connected(postgres_url, "test") as connection, publishing.opened(redis_url) as bus:
        yield Worker(connection, bus)


@pytest.fixture
def settings() -> ApiSettings:
    return ApiSettings(port=0, heartbeat_seconds=0.2)


@pytest.fixture
async def served(settings: ApiSettings, postgres_url: str, redis_url: str) -> AsyncIterator[Served]:
    async with serving(settings, postgres_url, redis_url) as running:
        yield running
