"""Compose the live ingester: feeds, one buffer, one writer."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version

import httpx
import structlog

from bus import publishing
from bus.settings import BusSettings
from db.connections import connected
from db.instruments import Listed, register
from db.processes import Heartbeat
from db.settings import DatabaseSettings
from ingest.buffer import Buffer
from ingest.feeds import Feed
from ingest.intake import Intake
from ingest.notifying import Notifier, Wire
from ingest.reporting import SocketReporter
from ingest.routes import Route, routes
from ingest.settings import IngestSettings
from ingest.sockets import Patience
from ingest.tallies import Tallies
from ingest.writer import Rhythm, Writer
from market.errors import StoreError, StoreUnavailableError
from runtime.backoff import delays
from runtime.clock import now
from runtime.lifecycle import run_services

logger = structlog.get_logger(__name__)

_FIRST_RETRY_SECONDS = 0.1
_FIRST_RECONNECT_SECONDS = 0.5
_SNAPSHOT_SECONDS = 10.0


async def run(stopping: asyncio.Event) -> None:
    """Be the live ingester, as the environment says, until ``stopping`` is set."""
    url = DatabaseSettings().url.get_secret_value()
    async with publishing.opened(BusSettings().url.get_secret_value()) as bus:
        await ingest(IngestSettings(), url, bus, stopping, version("heliograph"))


async def ingest(
    settings: IngestSettings, url: str, wire: Wire, stopping: asyncio.Event, code_version: str
) -> None:
    """Ingest into the database at ``url`` until ``stopping`` is set and what was read is committed."""
    ways = routes(settings.feeds)
    listed = await _listed(url, ways, stopping)
    limits = httpx.Limits(max_connections=16)
    async with httpx.AsyncClient(timeout=_SNAPSHOT_SECONDS, limits=limits) as http:
        await Ingester(settings, url, wire, ways, listed, http, code_version).run(stopping)


async def _listed(url: str, ways: Sequence[Route], stopping: asyncio.Event) -> dict[str, Listed]:
    """Return the instruments by key, as soon as PostgreSQL is there."""
    waits = delays(_FIRST_RETRY_SECONDS, _FIRST_RECONNECT_SECONDS)
    while True:
        try:
            async with connected(url, "heliograph ingest") as connection:
                return await register(connection, [each for way in ways for each in way.instruments])
        except StoreUnavailableError as error:
            if stopping.is_set():
                raise
            logger.warning("ingest.waiting", error=str(error))
            await asyncio.sleep(next(waits))


class Ingester:
    """Everything of one ingesting process."""

    def __init__(  # noqa: PLR0913, PLR0917 - it composes
        self,
        settings: IngestSettings,
        url: str,
        wire: Wire,
        ways: Sequence[Route],
        listed: Mapping[str, Listed],
        http: httpx.AsyncClient,
        code_version: str,
    ) -> None:
        self._settings = settings
        self._buffer = Buffer(settings.buffer_ticks)
        self._tallies = Tallies({way.venue.name for way in ways})
        self._notifier = Notifier(wire)
        self._writer = Writer(
            url,
            self._buffer,
            {each.instrument_id: each for each in listed.values()},
            tallies=self._tallies,
            notifier=self._notifier,
            rhythm=_rhythm(settings),
            code_version=code_version,
        )
        self._feeds = [self._feed(way, listed, http) for way in ways]
        self._heartbeat = Heartbeat(url, "ingest", self.counters, now)
        self._reporter = SocketReporter(
            url, self._heartbeat.process_id, lambda: [feed.state() for feed in self._feeds]
        )

    def counters(self) -> dict[str, object]:
        """Return what heartbeats carry."""
        writer = {
            "commits": self._writer.commits,
            "retries": self._writer.retries,
            "waiting": self._buffer.size,
            "unheard": self._notifier.missed,
        }
        return {"feeds": self._tallies.counters(), "writer": writer}

    async def run(self, stopping: asyncio.Event) -> None:
        """Ingest until ``stopping``; then commit what was read, and tell the final counts."""
        async with asyncio.TaskGroup() as group:
            told = [group.create_task(self._heartbeat.run(stopping)), group.create_task(self._notifier.run())]
            told.append(group.create_task(self._reporter.run(stopping)))
            work = group.create_task(self._work(stopping))
            await stopping.wait()
            await asyncio.wait({work}, timeout=self._settings.drain_within_seconds)
            if not work.done():
                logger.error("ingest.undrained", ticks=self._buffer.size)
                work.cancel()
            self._notifier.close()
        try:
            await self._reporter.close()
            await self._heartbeat.close()
        except StoreError as error:
            logger.warning("ingest.end_untold", error=str(error))

    async def _work(self, stopping: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._writer.run())
            await run_services([*self._feeds], stopping)
            self._buffer.close()

    def _feed(self, way: Route, listed: Mapping[str, Listed], http: httpx.AsyncClient) -> Feed:
        patience = Patience(
            silence_seconds=way.venue.silence_seconds,
            acknowledge_within_seconds=self._settings.acknowledge_within_seconds,
        )
        return Feed(
            way,
            way.instrument_ids(listed),
            Intake(way.venue.name, self._buffer, self._tallies),
            http=http,
            patience=patience,
            reconnect_delays=partial(delays, _FIRST_RECONNECT_SECONDS, self._settings.reconnect_cap_seconds),
            clock=now,
        )


def _rhythm(settings: IngestSettings) -> Rhythm:
    return Rhythm(
        commit_after_seconds=settings.commit_after_seconds,
        commit_ticks=settings.commit_ticks,
        retry_delays=partial(delays, _FIRST_RETRY_SECONDS, settings.retry_cap_seconds),
    )
