"""History through the pooler that deploy/ configures: a real PgBouncer, in transaction mode."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from api.settings import ApiSettings
from db.logins import API
from tests.api.peers import Served, Worker, serving
from tests.api.test_nginx import free_port, listening
from tests.api.ticks import T, add_trades, unpartitioned

pytestmark = pytest.mark.slow

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "pgbouncer.ini"
ASKED = "/v1/trades?exchange=kraken&symbol=SOL/USD"
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1"
KEEPS_STATEMENTS_FROM = (1, 21)


def program() -> str:
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("no pgbouncer in PATH or /usr/sbin: install Debian's package pgbouncer")
    return found


def keeps_statements(pgbouncer: str) -> bool:
    said = subprocess.run([pgbouncer, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    assert found, said
    return (int(found[1]), int(found[2])) >= KEEPS_STATEMENTS_FROM


def adapted(text: str, database_url: str, port: int, *, keeps: bool) -> str:
    """Return the configuration for the test's own database, which asks for no password; two connections."""
    parts = urlsplit(database_url)
    host = parts.hostname or parse_qs(parts.query)["host"][0]
    name = parts.path[1:]
    text = re.sub(
        r"(?m)^heliograph = host=\S+ port=\S+ dbname=\S+",
        f"{name} = host={host} port={parts.port or 5432} dbname={name}",
        text,
    )
    text = text.replace("listen_port = 6432", f"listen_port = {port}").replace("scram-sha-256", "any")
    text = re.sub(r"(?m)^auth_file.*\n", "", text).replace("default_pool_size = 8", "default_pool_size = 2")
    text = text.replace("connect_query", f"user={API.name} connect_query")
    return text if keeps else re.sub(r"(?m)^max_prepared_statements.*\n", "", text)


@asynccontextmanager
async def pooling(folder: Path, database_url: str) -> AsyncIterator[tuple[str, bool]]:
    """Run one; give its address, and whether statements outlive a transaction there."""
    pgbouncer, port = program(), free_port()
    keeps = keeps_statements(pgbouncer)
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(adapted(CONFIGURATION.read_text(), database_url, port, keeps=keeps))
    unprivileged = ("--user", "nobody") if os.geteuid() == 0 else ()
    process = await asyncio.create_subprocess_exec(pgbouncer, *unprivileged, str(configuration))
    try:
        await listening(port)
        yield f"postgresql://{API.name}@127.0.0.1:{port}/{urlsplit(database_url).path[1:]}", keeps
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def behind(
    settings: ApiSettings, postgres_url: str, redis_url: str, replica_url: str, tmp_path: Path
) -> AsyncIterator[Served]:
    async with pooling(tmp_path, replica_url) as (url, keeps):
        statements = settings.read_statements if keeps else 0
        chosen = settings.model_copy(update={"read_statements": statements})
        async with serving(chosen, postgres_url, redis_url, url) as served:
            yield served


async def test_history_is_read_by_many_at_once_over_two_connections_that_each_transaction_may_change(
    behind: Served, worker: Worker, replica: Worker
) -> None:
    for each in (worker, replica):
        await unpartitioned(each.connection)
        [sol] = await each.instruments("SOL/USD")
    await add_trades(replica.connection, sol, *((T, number) for number in range(1, 31)))

    async def ask(number: int) -> list[str]:
        answer = await behind.http.get(f"{ASKED}&limit={number}")
        return [each["trade_id"] for each in answer.json()["data"]]

    pages = await asyncio.gather(*(ask(number) for number in range(1, 31)))
    assert list(range(1, 31)) == [len(page) for page in pages]
    assert [str(number) for number in range(1, 31)] == pages[-1]
    assert 2 == await replica.connection.fetchval(SESSIONS, API.name)


async def test_sessions_behind_the_pooler_have_the_settings_of_the_api(
    replica_url: str, tmp_path: Path
) -> None:
    async with pooling(tmp_path, replica_url) as (url, keeps):
        connection = await asyncpg.connect(url, statement_cache_size=100 if keeps else 0)
        settings = [await connection.fetchval(f"SHOW {name}") for name in ("statement_timeout", "jit")]
        await connection.close()
    assert ["10s", "off"] == settings
