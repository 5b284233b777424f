"""The simulated venue listened to by a client that only counts: the limit of the pipeline."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from market.errors import StackError

_LOOK_EVERY_SECONDS = 0.05
_SILENT_SECONDS = 5.0
_STREAMS = ("trade", "bookTicker", "depth@100ms")


class Count(msgspec.Struct):
    """Frames received, and when the first and the last were."""

    frames: int = 0
    first_at: float = 0.0
    last_at: float = 0.0

    async def run(self, socket: ClientConnection) -> None:
        """Count until cancelled."""
        async for _ in socket:
            self.last_at = time.perf_counter()
            self.first_at = self.first_at or self.last_at
            self.frames += 1

    def goes_on(self, status: Mapping[str, Any]) -> bool:
        """Tell whether frames may still come from a venue that told its ``status``."""
        silent = time.perf_counter() - self.last_at > _SILENT_SECONDS
        return not status["finished"] or (self.frames < status["frames"] and not silent)


class Heard(msgspec.Struct, frozen=True):
    """What came of a whole tape: ticks as the venue counts them, frames that did not arrive, and the time."""

    ticks: int
    lost: int
    seconds: float


async def listen(simulation: Sequence[str]) -> Heard:
    """Play a tape of Binance to a client that counts frames."""
    async with _venue(simulation) as (stream_url, rest_url), httpx.AsyncClient(base_url=rest_url) as venue:
        symbols = (await _status(venue))["venue_symbols"]
        streams = "/".join(f"{symbol.lower()}@{stream}" for symbol in symbols for stream in _STREAMS)
        async with connect(f"{stream_url}/stream?streams={streams}", compression=None) as socket:
            return await _counted(venue, socket)


async def _counted(venue: httpx.AsyncClient, socket: ClientConnection) -> Heard:
    count = Count()
    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count.run(socket))
        while count.goes_on(status := await _status(venue)):  # noqa: ASYNC110 - asks another process
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        counting.cancel()
    ticks = sum(status["offered"].values())
    return Heard(ticks, status["frames"] - count.frames, count.last_at - count.first_at)


async def _status(venue: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await venue.get("/sim/status")).json())


@asynccontextmanager
async def _venue(simulation: Sequence[str]) -> AsyncIterator[tuple[str, str]]:
    """Run the simulated venue, and give the addresses of its sockets and of its REST."""
    quiet = {**os.environ, "HELIOGRAPH_LOG_LEVEL": "warning"}
    command = (sys.executable, "-m", "sim", *simulation)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env=quiet)
    try:
        line = await process.stdout.readline() if process.stdout else b""
        if not line:
            message = f"the simulated venue ended with status {await process.wait()}; what it wrote is above"
            raise StackError(message)
        ready = msgspec.json.decode(line)
        yield ready["stream_url"], ready["rest_url"]
    finally:
        process.terminate()
        await process.wait()
