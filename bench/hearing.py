"""A server watched while an audience hears it: deliveries by processor time, latency, and memory."""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from bench.audience import Heard, Plan
from bench.processes import held_to_one_core, line, module, running, tell
from bench.reports import LOST
from bench.rounds import Figures

MB: Final = 1e6
RATE: Final = 50.0
"""Frames a second that each subscriber is sent."""

ANSWERS_WITHIN_SECONDS: Final = 20.0
OPEN: Final = '{"op":"subscribe","id":1,"channels":[{"channel":"signals:kraken:*"}]}'
OPENED: Final = '"subscribed"'


class Scale(msgspec.Struct, frozen=True):
    """How many subscribers there are, some of whom stopped reading, and how many frames each is sent."""

    subscribers: int
    frames: int
    stalled: int = 0

    @property
    def expected(self) -> int:
        """Return how many frames those who read are to hear."""
        return self.frames * (self.subscribers - self.stalled)


class Watch:
    """What a server does, on one core where there are others for the rest."""

    def __init__(self, pid: int) -> None:
        """Begin to watch before anybody listens."""
        self._server = held_to_one_core(pid)
        self._bytes = self._server.memory_info().rss
        self.begin()

    def begin(self) -> None:
        """Count time from now on: everybody listens."""
        self._each = self._server.memory_info().rss - self._bytes
        self._cpu = self._spent()
        self._began = time.monotonic()

    async def figures(self, audience: Process, scale: Scale) -> Figures:
        """Wait until everything expected was heard, or for as long as is fair, and return the figures."""
        until = time.monotonic() + ANSWERS_WITHIN_SECONDS
        while await _heard_so_far(audience) < scale.expected and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        cpu, seconds = self._spent() - self._cpu, time.monotonic() - self._began
        tell(audience, "end")
        heard = msgspec.json.decode(await line(audience), type=Heard)
        return {
            "sent/CPU-s": heard.frames / cpu,
            "sent/s": heard.frames / seconds,
            "p50 ms": heard.p50_ms,
            "p99 ms": heard.p99_ms,
            "max ms": heard.max_ms,
            "MB": self._server.memory_info().rss / MB,
            "kB each": self._each / scale.subscribers / 1000,
            LOST: scale.expected - heard.frames,
        }

    def _spent(self) -> float:
        times = self._server.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def audience(plan: Plan) -> AsyncIterator[Process]:
    """Let subscribers listen, all of whom were welcomed."""
    command = module("bench.audience", msgspec.json.encode(plan).decode())
    async with running(*command) as process:
        await line(process)
        yield process


async def _heard_so_far(process: Process) -> int:
    tell(process, "count")
    return int(await line(process))
