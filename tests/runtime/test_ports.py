"""A role's own port is opened beside its work, and never in its way."""

import asyncio
import socket

import httpx
import pytest

from runtime.exporting import Exporter
from runtime.metrics import Metrics
from runtime.settings import RuntimeSettings
from tests.runtime.test_exporting import Beat


@pytest.mark.slow
async def test_a_port_answers_until_its_role_stops() -> None:
    stopping = asyncio.Event()
    exporter = Exporter(RuntimeSettings(metrics_port=0), Metrics("scheduler"), Beat())
    running = asyncio.create_task(exporter.run(stopping))
    async with asyncio.timeout(20), httpx.AsyncClient() as client:
        while not exporter.port:  # noqa: ASYNC110 - nothing sets an event when this comes true
            await asyncio.sleep(0.01)
        assert (
            "scheduler" == (await client.get(f"http://127.0.0.1:{exporter.port}/health/live")).json()["role"]
        )
        stopping.set()
        await running
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://127.0.0.1:{exporter.port}/health/live")


async def test_a_port_that_is_taken_keeps_no_role_from_its_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = RuntimeSettings(metrics_port=taken.getsockname()[1])
        await Exporter(settings, Metrics("scheduler"), Beat()).run(asyncio.Event())


async def test_without_a_port_nothing_is_opened() -> None:
    exporter = Exporter(RuntimeSettings(), Metrics("scheduler"), Beat())
    await exporter.run(asyncio.Event())
    assert None is exporter.port
