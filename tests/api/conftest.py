"""The API as it is served: uvicorn on a free port, PostgreSQL, Valkey, real sockets."""

from collections.abc import AsyncIterator, Iterator

import pytest

from api.settings import ApiSettings
from bus import publishing
from db.connections import connected
from tests.api.peers import Served, Worker, serving
from tests.conftest import TEMPLATE, execute, run_aside, url_of


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


@pytest.fixture
def replica_url(postgres_template: str, postgres_url: str) -> Iterator[str]:
    name = f"{postgres_url.partition('?')[0].rpartition('/')[2]}_replica"
    run_aside(lambda: execute(postgres_template, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    yield url_of(postgres_template, name)
    run_aside(lambda: execute(postgres_template, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def replica(replica_url: str, redis_url: str) -> AsyncIterator[Worker]:
    async with connected(replica_url, "test") as connection, publishing.opened(redis_url) as bus:
        yield Worker(connection, bus)
