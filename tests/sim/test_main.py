import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MADE_UP = ("--venue", "binance", "--generate", "--seconds", "5", "--speed", "max", "--symbols", "BTC/USDT")


@asynccontextmanager
async def process(*arguments: str, parent_fd: int | None = None) -> AsyncIterator[Process]:
    environment = os.environ | ({} if parent_fd is None else {"HELIOGRAPH_PARENT_FD": str(parent_fd)})
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "sim", *arguments),
        cwd=ROOT,
        env=environment,
        stdout=PIPE,
        stderr=PIPE,
        pass_fds=[] if parent_fd is None else [parent_fd],
    )
    try:
        async with asyncio.timeout(60):
            yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def ready(started: Process) -> Any:  # noqa: ANN401 - parsed JSON
    assert started.stdout is not None
    return json.loads(await started.stdout.readline())


async def test_a_made_up_market_is_played_by_a_process_of_its_own() -> None:
    async with process(*MADE_UP) as started:
        told = await ready(started)
        assert f"ws://127.0.0.1:{told['port']}" == told["stream_url"]
        streams = "/".join(f"btcusdt@{feed}" for feed in ("trade", "bookTicker", "depth"))
        async with (
            connect(f"{told['stream_url']}/stream?streams={streams}", close_timeout=0.1) as socket,
            httpx.AsyncClient(base_url=told["rest_url"]) as client,
        ):
            first = json.loads(await socket.recv())
            book = (await client.get("/api/v3/depth", params={"symbol": "BTCUSDT"})).json()
            status = (await client.get("/sim/status")).json()
        assert first["stream"].startswith("btcusdt@")
        assert book["lastUpdateId"] > 0
        assert status["symbols"] == ["BTC/USDT"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    async with process(*MADE_UP) as started:
        told = await ready(started)
        async with connect(f"{told['stream_url']}/stream"):
            started.send_signal(number)
            assert await started.wait() == 0


async def test_it_ends_with_its_parent() -> None:
    ours, parents = os.pipe()
    async with process(*MADE_UP, parent_fd=ours) as started:
        os.close(ours)
        await ready(started)
        os.close(parents)
        assert await started.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--venue", "mtgox", "--generate"), b"no venue 'mtgox' can be simulated"),
        ((*MADE_UP, "--fault", "flood@1s"), b"no fault 'flood'"),
        (("--venue", "binance", "--file", "nowhere.gz"), b"nowhere.gz cannot be read"),
        ((*MADE_UP, "--speed", "fast"), b"speed 'fast'"),
    ],
)
async def test_what_it_cannot_do_is_said_and_ends_it(arguments: tuple[str, ...], said: bytes) -> None:
    async with process(*arguments) as started:
        _, complaint = await started.communicate()
        assert started.returncode == 2
        assert said in complaint
        assert b"Traceback" not in complaint
