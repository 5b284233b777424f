"""Real stores for tests: one PostgreSQL and one Valkey a test process, a database of its own a test."""

import asyncio
import itertools
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
from hypothesis import settings

from db import logins
from db.connections import connected
from db.migrating import migrate
from heliograph.embedded import folders
from heliograph.embedded.accounts import unprivileged
from heliograph.embedded.postgres import Postgres
from heliograph.embedded.stores import Stores
from heliograph.embedded.valkey import Valkey

TEMPLATE = "template_heliograph"
SHARDS = 8
VALKEY_DATABASES = 1024

_numbers = itertools.count(1)

settings.register_profile("heliograph", deadline=None)  # a busy machine is no failure
settings.register_profile("thorough", deadline=None, max_examples=1000)  # by --hypothesis-profile, at leisure
settings.load_profile("heliograph")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Call slow what serves the API: each such test starts one of its own."""
    if "served" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Undo what a test's program configured, so that the next test hears every event."""
    yield
    structlog.reset_defaults()


def run_aside(coroutine: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Run to the end in a loop of its own, from a fixture that no loop may be running around."""
    with asyncio.Runner() as runner:
        runner.run(coroutine())


def url_of(server_url: str, database: str) -> str:
    address, _, query = server_url.partition("?")
    return f"{address.rpartition('/')[0]}/{database}?{query}"


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def prepare(url: str) -> None:
    """Migrate a database, and make what programs log in as."""
    await migrate(url, SHARDS)
    async with connected(url, "tests") as connection:
        await logins.make(connection)


@pytest.fixture(scope="session")
def stores() -> Iterator[Stores]:
    """Both embedded stores, quick ones that end with the tests' process."""
    running = Stores(None).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgres_template(stores: Stores) -> str:
    """The address of PostgreSQL's own database, beside a migrated template to copy."""
    run_aside(lambda: execute(stores.database_url, f"CREATE DATABASE {TEMPLATE}"))
    run_aside(lambda: prepare(url_of(stores.database_url, TEMPLATE)))
    return stores.database_url


@pytest.fixture
def postgres_url(postgres_template: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    name = f"test_{next(_numbers)}"
    run_aside(
        lambda: execute(postgres_template, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    )
    yield url_of(postgres_template, name)
    run_aside(lambda: execute(postgres_template, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def redis_url(stores: Stores) -> str:
    """A Valkey whose keys are the test's own; channels are shared by the tests of one process."""
    return f"{stores.redis_url}?db={next(_numbers) % VALKEY_DATABASES}"


@pytest.fixture
def postgres_server() -> Iterator[Postgres]:
    """A migrated PostgreSQL of the test's own, to stop and start again at one address."""
    home = folders.throwaway_home(unprivileged())
    server = Postgres(home, unprivileged(), durable=False)
    server.start()
    run_aside(lambda: prepare(server.url))
    yield server
    server.stop()
    folders.remove(home)


@pytest.fixture
def valkey_server() -> Iterator[Valkey]:
    """A Valkey of the test's own, to stop and start again at one address."""
    home = folders.throwaway_home(unprivileged())
    server = Valkey(home, unprivileged())
    server.start()
    yield server
    server.stop()
    folders.remove(home)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recorded exchange frames, used in place."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("HELIOGRAPH_RECORDINGS") or beside)
    if not folder.is_dir():
        reason = f"no recordings in {folder}: set HELIOGRAPH_RECORDINGS to their folder"
        pytest.fail(reason) if os.environ.get("HELIOGRAPH_RECORDINGS_REQUIRED") else pytest.skip(reason)
    return folder
