"""The stream beside a bare loop that sends, and beside others: each frame to many subscribers."""

from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
import psutil

from bench import fanning, frames, hearing, stores
from bench.audience import Plan
from bench.effort import Effort
from bench.hearing import RATE, Scale, Watch
from bench.peers import environments
from bench.processes import answering, beside_it, module, running
from bench.reports import Report, report
from bench.rounds import Contestant, Figures, alternate
from bus import publishing
from db.connections import connected
from db.instruments import register
from db.migrating import migrate
from db.settings import DatabaseSettings
from heliograph.ports import any_free
from market.channels import Family
from market.instruments import spot
from market.publications import Publication
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

_STALLED: Final = ", 1 in 100 stalled"
_T: Final = 1_733_270_400 * SECOND

Fan = Callable[[Scale], Awaitable[Figures]]


async def measure(url: str, effort: Effort) -> Report:
    """Measure on copies of the empty database at ``url``; ``effort.ticks`` say how many subscribe."""
    await migrate(url, DatabaseSettings().shards)
    subscribers = max(1, effort.ticks // 50)
    scale = Scale(subscribers, max(50, round(effort.seconds * RATE)))
    stalled = msgspec.structs.replace(scale, stalled=max(1, subscribers // 100))
    idle = msgspec.structs.replace(scale, subscribers=10 * subscribers)
    fans = _fans(url, peers=effort.peers)
    contestants: dict[str, Contestant] = {
        **{name: partial(fan, scale) for name, fan in fans.items()},
        **{name + _STALLED: partial(fan, stalled) for name, fan in fans.items()},
        f"stream, {idle.subscribers:,} idle": partial(_idle, url, idle),
    }
    with beside_it():
        measured = await alternate(contestants, msgspec.structs.replace(effort, seconds=0.0))
    limits = {"stream" + more: "bare loop" + more for more in ("", _STALLED)}
    others = [name for name in fans if name not in ("stream", "bare loop")]
    peers = {name + more: "stream" + more for name in others for more in ("", _STALLED)}
    told = (
        f"{scale.frames:,} frames of {len(frames.text(1))} bytes, "
        f"{RATE:g} a second, to each of {subscribers:,} subscribers"
    )
    return report("stream", told, measured, limits, peers)


def _fans(url: str, *, peers: bool) -> dict[str, Fan]:
    fans: dict[str, Fan] = {
        "bare loop": partial(fanning.by_loop, "bench.bare"),
        "stream": partial(_ours, url),
    }
    if not peers:
        return fans
    fans |= {
        "websockets.broadcast": partial(fanning.by_loop, "bench.broadcasting"),
        "python-socketio, Redis": fanning.by_socketio,
    }
    if environments.program("nats-server"):
        fans["nats-server"] = fanning.by_nats
    return fans


async def _ours(url: str, scale: Scale) -> Figures:
    async with _served(url) as (server, address, worker):
        watch = Watch(server.pid)
        async with hearing.audience(_plan(address, scale)) as audience:
            watch.begin()
            await worker.publish(scale.frames)
            return await watch.figures(audience, scale)


async def _idle(url: str, scale: Scale) -> Figures:
    async with _served(url) as (server, address, _):
        before = psutil.Process(server.pid).memory_info().rss
        async with hearing.audience(_plan(address, scale)):
            after = psutil.Process(server.pid).memory_info().rss
    return {"MB": after / hearing.MB, "kB each": (after - before) / scale.subscribers / 1000}


def _plan(address: str, scale: Scale) -> Plan:
    return Plan(address, scale.subscribers, scale.stalled, hearing.OPEN, hearing.OPENED)


class _Worker:
    """Commits signals and tells the bus, one every so often."""

    def __init__(self, connection: "Connection", bus: publishing.Bus, instrument_id: int) -> None:
        self._connection = connection
        self._bus = bus
        self._instrument_id = instrument_id

    async def publish(self, count: int) -> None:
        async for offset in fanning.paced(count):
            told = Publication(self._instrument_id, Family.SIGNALS, offset, "signal", frames.data(), _T)
            await self._connection.execute(
                "INSERT INTO publications VALUES ($1, 'signals', $2, 'signal', NULL, 'rsi', $4, $3, $4)",
                self._instrument_id,
                offset,
                told.data,
                _T,
            )
            await self._bus.publish([told])


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
            async with running(*module("heliograph", "api"), environment=given) as server:
                await answering(f"http://127.0.0.1:{port}/health/live")
                worker = _Worker(connection, bus, listed[instrument.key].instrument_id)
                yield server, f"ws://127.0.0.1:{port}/v1/stream", worker
