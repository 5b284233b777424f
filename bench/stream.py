"""The stream beside a bare loop that sends: many subscribers, each frame to all of them, from one process."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx
import msgspec
import psutil

from bench import frames, stores
from bench.audience import Heard, Plan
from bench.effort import Effort
from bench.reports import LOST, Report, report
from bench.rounds import Contestant, Figures, alternate
from bus import publishing
from db.connections import connected
from db.instruments import register
from db.migrating import migrate
from db.settings import DatabaseSettings
from heliograph.ports import any_free
from market.channels import Family
from market.errors import HeliographError
from market.instruments import spot
from market.publications import Publication
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

_RATE: Final = 50.0
_BARE, _OURS, _STALLED = "bare loop, {} x 50/s", "stream, {} x 50/s", "the same, 1 in 100 stalled"
_IDLE: Final = "stream, {} idle"
_ANSWERS_WITHIN_SECONDS: Final = 20.0
_HELLO: Final = '{"op":"subscribe","id":1,"channels":[{"channel":"signals:kraken:*"}]}'
_MB: Final = 1e6
_T: Final = 1_733_270_400 * SECOND


class _Scale(msgspec.Struct, frozen=True):
    """How many subscribers there are, and how many frames each is sent."""

    subscribers: int
    idle: int
    frames: int


async def measure(url: str, effort: Effort) -> Report:
    """Measure on copies of the empty database at ``url``; ``effort.ticks`` say how many subscribe."""
    await migrate(url, DatabaseSettings().shards)
    subscribers = max(1, effort.ticks // 50)
    scale = _Scale(subscribers, 10 * subscribers, max(50, round(effort.seconds * _RATE)))
    bare, ours = _BARE.format(f"{subscribers:,}"), _OURS.format(f"{subscribers:,}")
    contestants: dict[str, Contestant] = {
        bare: partial(_bare, scale),
        ours: partial(_ours, url, scale, 0),
        _STALLED: partial(_ours, url, scale, max(1, subscribers // 100)),
        _IDLE.format(f"{scale.idle:,}"): partial(_idle, url, scale),
    }
    measured = await alternate(contestants, msgspec.structs.replace(effort, seconds=0.0))
    limits = {ours: bare, _STALLED: bare}
    return report(
        "stream", f"{scale.frames:,} frames of {len(frames.text(1))} bytes to each", measured, limits
    )


async def _bare(scale: _Scale) -> Figures:
    command = ("-m", "bench.bare", str(1 / _RATE), str(scale.frames))
    async with (
        _running(*command) as server,
        _audience(await _line(server), scale.subscribers, 0) as audience,
    ):
        watch = _Watch(server.pid)
        _tell(server, "go")
        await _line(server)
        return await watch.figures(audience, scale.frames * scale.subscribers)


async def _ours(url: str, scale: _Scale, stalled: int) -> Figures:
    async with (
        _served(url) as (server, address, worker),
        _audience(address, scale.subscribers, stalled) as audience,
    ):
        watch = _Watch(server.pid)
        await worker.publish(scale.frames)
        return await watch.figures(audience, scale.frames * (scale.subscribers - stalled))


async def _idle(url: str, scale: _Scale) -> Figures:
    async with _served(url) as (server, address, _):
        before = psutil.Process(server.pid).memory_info().rss
        async with _audience(address, scale.idle, 0):
            after = psutil.Process(server.pid).memory_info().rss
    return {"MB": after / _MB, "kB each": (after - before) / scale.idle / 1000}


class _Watch:
    """What a server does from now on, on one core where there are others for the rest."""

    def __init__(self, pid: int) -> None:
        self._server = psutil.Process(pid)
        first, *others = os.sched_getaffinity(0)
        if others:
            self._server.cpu_affinity([first])
        self._cpu = self._spent()
        self._began = time.monotonic()

    async def figures(self, audience: Process, expected: int) -> Figures:
        """Wait until everything expected was heard, or for as long as is fair, and return the figures."""
        until = time.monotonic() + _ANSWERS_WITHIN_SECONDS
        while await _heard_so_far(audience) < expected and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        cpu, seconds = self._spent() - self._cpu, time.monotonic() - self._began
        _tell(audience, "end")
        heard = msgspec.json.decode(await _line(audience), type=Heard)
        return {
            "sent/CPU-s": heard.frames / cpu,
            "sent/s": heard.frames / seconds,
            "p50 ms": heard.p50_ms,
            "p99 ms": heard.p99_ms,
            "max ms": heard.max_ms,
            "MB": self._server.memory_info().rss / _MB,
            LOST: expected - heard.frames,
        }

    def _spent(self) -> float:
        times = self._server.cpu_times()
        return float(times.user + times.system)


class _Worker:
    """Commits signals and tells the bus, one every so often."""

    def __init__(self, connection: "Connection", bus: publishing.Bus, instrument_id: int) -> None:
        self._connection = connection
        self._bus = bus
        self._instrument_id = instrument_id

    async def publish(self, count: int) -> None:
        due = time.monotonic()
        for offset in range(1, count + 1):
            told = Publication(self._instrument_id, Family.SIGNALS, offset, "signal", frames.data(), _T)
            await self._connection.execute(
                "INSERT INTO publications VALUES ($1, 'signals', $2, 'signal', NULL, 'rsi', $4, $3, $4)",
                self._instrument_id,
                offset,
                told.data,
                _T,
            )
            await self._bus.publish([told])
            due += 1 / _RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))


_UNLIMITED: Final = {
    "HELIOGRAPH_API_CONNECTIONS_PER_SECOND": "100000",
    "HELIOGRAPH_API_CONNECTIONS_AT_ONCE": "100000",
    "HELIOGRAPH_API_SUBSCRIBERS_PER_ADDRESS": "100000",
    "HELIOGRAPH_API_CONNECTIONS_PER_ADDRESS": "100000",
}
"""All subscribers come from one address here."""


@asynccontextmanager
async def _served(url: str) -> AsyncIterator[tuple[Process, str, _Worker]]:
    """Serve a copy of the empty database; give the server, the stream's address, and a worker."""
    port = any_free("127.0.0.1")
    with stores.valkey() as redis_url:
        async with (
            stores.copied(url) as database_url,
            connected(database_url, "bench worker") as connection,
            publishing.opened(redis_url) as bus,
        ):
            instrument = spot("kraken", "SOL", "USD", "SOLUSD")
            listed = await register(connection, [instrument])
            given = {
                "HELIOGRAPH_DATABASE_URL": database_url,
                "HELIOGRAPH_REDIS_URL": redis_url,
                "HELIOGRAPH_API_PORT": str(port),
                **_UNLIMITED,
            }
            async with _running("-m", "heliograph", "api", environment=given) as server:
                await _ready(f"http://127.0.0.1:{port}/health/live")
                worker = _Worker(connection, bus, listed[instrument.key].instrument_id)
                yield server, f"ws://127.0.0.1:{port}/v1/stream", worker


async def _ready(address: str) -> None:
    async with asyncio.timeout(_ANSWERS_WITHIN_SECONDS), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(address)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


@asynccontextmanager
async def _audience(url: str, count: int, stalled: int) -> AsyncIterator[Process]:
    plan = msgspec.json.encode(Plan(url.strip(), count, stalled, _HELLO)).decode()
    async with _running("-m", "bench.audience", plan) as audience:
        await _line(audience)
        yield audience


@asynccontextmanager
async def _running(*command: str, environment: dict[str, str] | None = None) -> AsyncIterator[Process]:
    quiet = {**os.environ, "HELIOGRAPH_LOG_LEVEL": "error", **(environment or {})}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=PIPE, stdout=PIPE, env=quiet
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _heard_so_far(audience: Process) -> int:
    _tell(audience, "count")
    return int(await _line(audience))


def _tell(process: Process, line: str) -> None:
    if process.stdin:
        process.stdin.write(f"{line}\n".encode())


async def _line(process: Process) -> str:
    line = await process.stdout.readline() if process.stdout else b""
    if not line:
        message = f"a part of the benchmark ended with status {await process.wait()}; what it wrote is above"
        raise HeliographError(message)
    return line.decode().strip()
