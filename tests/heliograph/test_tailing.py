"""Frames of channels, printed as they come."""

import asyncio
from collections.abc import Callable

import pytest

from api.settings import ApiSettings
from bus import publishing
from db.connections import connected
from heliograph.tailing import tail
from tests.api.holes import find
from tests.api.peers import Worker, serving, until
from tests.client.telling import BARS, Teller

Contains = Callable[[str], bool]


@pytest.fixture
def contains(capsys: pytest.CaptureFixture[str]) -> Contains:
    """Tells whether a text is in all that was printed."""
    printed = [""]

    def told(text: str) -> bool:
        printed[0] += capsys.readouterr().out
        return text in printed[0]

    return told


@pytest.mark.slow
async def test_gaps_of_every_feed_are_printed(postgres_url: str, redis_url: str, contains: Contains) -> None:
    stopping = asyncio.Event()
    async with (
        connected(postgres_url, "test") as connection,
        publishing.opened(redis_url) as bus,
        serving(ApiSettings(port=0), postgres_url, redis_url) as served,
        asyncio.TaskGroup() as group,
    ):
        [sol] = await Worker(connection, bus).instruments("SOL/USD")
        group.create_task(tail(["coverage:*"], served.url, as_json=True)(stopping))
        await until(lambda: contains('"op":"subscribed"'))
        await find(connection, sol, 0, 1)
        await until(lambda: contains('{"op":"gap","channel":"coverage:kraken:SOL/USD"'))
        stopping.set()


async def test_people_are_shown_lines(postgres_url: str, redis_url: str, contains: Contains) -> None:
    stopping = asyncio.Event()
    async with (
        connected(postgres_url, "test") as connection,
        publishing.opened(redis_url) as bus,
        serving(ApiSettings(port=0, heartbeat_seconds=0.1), postgres_url, redis_url) as served,
        asyncio.TaskGroup() as group,
    ):
        worker = Worker(connection, bus)
        [sol] = await worker.instruments("SOL/USD")
        teller = Teller(worker, sol)
        group.create_task(tail([BARS], served.url)(stopping))
        await until(lambda: served.state["hub"].counters()["streams"] > 0)
        await teller.tell()
        await until(lambda: contains("1s 1 2 1 1.5, 10 in 3"))
        stopping.set()
    assert contains("\ntime  ")
