"""Frames of channels, printed as they come."""

import asyncio

import pytest

from api.settings import ApiSettings
from bus import publishing
from db.connections import connected
from heliograph.tailing import tail
from tests.api.holes import find
from tests.api.peers import Worker, serving, until


async def test_gaps_of_every_feed_are_printed(
    postgres_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed, stopping = [""], asyncio.Event()

    def contains(text: str) -> bool:
        printed[0] += capsys.readouterr().out
        return text in printed[0]

    async with (
        connected(postgres_url, "test") as connection,
        publishing.opened(redis_url) as bus,
        serving(ApiSettings(port=0), postgres_url, redis_url) as served,
        asyncio.TaskGroup() as group,
    ):
        [sol] = await Worker(connection, bus).instruments("SOL/USD")
        group.create_task(tail(["coverage:*"], served.url)(stopping))
        await until(lambda: contains('"op":"subscribed"'))
        await find(connection, sol, 0, 1)
        await until(lambda: contains('{"op":"gap","channel":"coverage:kraken:SOL/USD"'))
        stopping.set()
