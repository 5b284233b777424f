"""History out of a replica: a second database stands for one, which is told apart by what it holds."""

from collections.abc import AsyncIterator

import pytest

from api.settings import ApiSettings
from tests.api.peers import Served, Worker, serving
from tests.api.ticks import T, add_signals, add_trades, unpartitioned

pytestmark = pytest.mark.slow

NOBODY = "postgresql://heliograph@127.0.0.1:1/heliograph"
ASKED = "/v1/trades?exchange=kraken&symbol=SOL/USD"


@pytest.fixture
async def reading(
    settings: ApiSettings, postgres_url: str, redis_url: str, replica_url: str
) -> AsyncIterator[Served]:
    async with serving(settings, postgres_url, redis_url, replica_url) as running:
        yield running


async def beat(worker: Worker, seconds_ago: float) -> None:
    await worker.connection.execute(
        "INSERT INTO processes"
        " SELECT 'a', 'api', 'h', 7, at, at, NULL, '{}' FROM (SELECT clock_timestamp() - $1 * interval '1 s')"
        " AS beat (at)",
        seconds_ago,
    )


async def test_history_is_read_from_the_replica_and_what_is_newest_from_the_database(
    reading: Served, worker: Worker, replica: Worker
) -> None:
    for each in (worker, replica):
        await unpartitioned(each.connection)
        [sol] = await each.instruments("SOL/USD")
        await add_signals(each.connection, sol, ("rsi", T))
    await add_trades(replica.connection, sol, (T, 1), (T, 2))
    await add_trades(worker.connection, sol, (T, 1), (T, 2), (T, 3))
    await worker.connection.execute(
        "INSERT INTO feeds VALUES (1, 'kraken', 'SOL/USD', NULL, NULL, NULL, 'active')"
    )
    page = (await reading.http.get(ASKED)).json()
    lines = (await reading.http.get(f"{ASKED}&format=ndjson")).text.splitlines()
    [feed] = (await reading.get("/v1/feeds"))["data"]
    assert (2, 2, "SOL/USD") == (len(page["data"]), len(lines), feed["symbol"])


async def test_health_tells_how_far_the_replica_is_behind(
    reading: Served, worker: Worker, replica: Worker
) -> None:
    await beat(worker, 1)
    await beat(replica, 61)
    found = (await reading.http.get("/health")).json()
    measured = (await reading.http.get("/metrics")).text
    assert (True, pytest.approx(60, abs=30)) == (
        found["replica"]["answers"],
        found["replica"]["lag_seconds"],
    )
    assert [True] == ["s behind" in problem for problem in found["problems"]]
    assert "heliograph_replica_lag_seconds 0.0" not in measured


async def test_while_nobody_answers_there_history_is_read_from_the_database(
    settings: ApiSettings, postgres_url: str, redis_url: str, worker: Worker
) -> None:
    await unpartitioned(worker.connection)
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker.connection, sol, (T, 1))
    async with serving(settings, postgres_url, redis_url, NOBODY) as served:
        answers = [(await served.http.get(ASKED, headers={"Cache-Control": "no-cache"})) for _ in range(2)]
        found = (await served.http.get("/health")).json()
    assert [1, 1] == [len(each.json()["data"]) for each in answers]
    assert ("degraded", {"answers": False, "lag_seconds": None}) == (found["status"], found["replica"])


async def test_without_a_replica_there_is_none_to_tell_of(served: Served) -> None:
    found = (await served.http.get("/health")).json()
    assert None is found["replica"]
