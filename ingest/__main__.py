"""Compose the live ingester: its share of the feeds, one buffer, one writer."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from bus import budgets, publishing
from bus.settings import BusSettings
from db import feeds
from db.connections import connected
from db.instruments import Listed, register
from db.processes import Heartbeat
from db.proofs import tape_ends
from db.settings import DatabaseSettings
from ingest.buffer import Buffer
from ingest.claiming import Claimer
from ingest.continuity import Continuity
from ingest.feeds import Feed, Refuse
from ingest.intake import Intake
from ingest.mutes import MuteWatch
from ingest.notifying import Notifier, Wire
from ingest.outbound.budgets import Shared
from ingest.outbound.opening import opened
from ingest.outbound.outbound import Outbound
from ingest.pressure import Memory
from ingest.recent import RecentPast
from ingest.reporting import SocketReporter
from ingest.rooms import Room
from ingest.routes import Route
from ingest.sampling import Sampling
from ingest.settings import IngestSettings, OutboundSettings
from ingest.sockets import Patience
from ingest.switchboard import Switchboard
from ingest.tallies import Tallies
from ingest.venues.histories import history
from ingest.wanting import wanted
from ingest.writer import Rhythm, Writer
from market.errors import StoreError, StoreUnavailableError
from market.instruments import Instrument
from market.tapes import TapeEnd
from runtime.backoff import delays
from runtime.clock import now
from runtime.exporting import Exporter
from runtime.lifecycle import run_services, wait_at_most
from runtime.memory import limit_bytes, resident_bytes
from runtime.metrics import Metrics
from runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_FIRST_RETRY_SECONDS = 0.1
_FIRST_RECONNECT_SECONDS = 0.5
_HAND_OVER_SECONDS = 3.0


async def run(stopping: asyncio.Event) -> None:
    """Be the live ingester, as the environment says, until ``stopping`` is set."""
    url = DatabaseSettings().url.get_secret_value()
    bus_url = BusSettings().url.get_secret_value()
    async with publishing.opened(bus_url) as bus, budgets.opened(bus_url) as shared:
        await ingest(IngestSettings(), url, bus, shared, stopping, version("heliograph"))


async def ingest(  # noqa: PLR0913, PLR0917 - it composes
    settings: IngestSettings,
    url: str,
    wire: Wire,
    shared: Shared,
    stopping: asyncio.Event,
    code_version: str,
) -> None:
    """Ingest into the database at ``url`` until ``stopping`` is set and what was read is committed."""
    await _offer(url, wanted(settings.feeds), stopping)
    async with opened(shared, url, OutboundSettings()) as outbound:
        await Ingester(settings, url, wire, outbound, code_version).run(stopping)


async def _offer(url: str, named: Sequence[feeds.WantedFeed], stopping: asyncio.Event) -> None:
    """Have the feeds of the environment, as soon as PostgreSQL is there."""
    waits = delays(_FIRST_RETRY_SECONDS, _FIRST_RECONNECT_SECONDS)
    while True:
        try:
            async with connected(url, "heliograph ingest") as connection:
                return await feeds.offer(connection, named)
        except StoreUnavailableError as error:
            if stopping.is_set():
                raise
            logger.warning("ingest.waiting", error=str(error))
            await asyncio.sleep(next(waits))


class Ingester:
    """Everything of one ingesting process."""

    def __init__(
        self, settings: IngestSettings, url: str, wire: Wire, outbound: Outbound, code_version: str
    ) -> None:
        self._settings = settings
        self._outbound = outbound
        self._places: dict[int, Listed] = {}
        self._ends: dict[int, TapeEnd] = {}
        self._buffer = Buffer(settings.buffer_ticks, settings.buffer_bytes)
        self._memory = Memory(resident_bytes, settings.memory_limit_bytes or limit_bytes())
        self._room = Room()
        self._tallies = Tallies()
        self._notifier = Notifier(wire)
        metrics = Metrics("ingest")
        self._writer = Writer(
            url,
            self._buffer,
            self._places,
            tallies=self._tallies,
            notifier=self._notifier,
            rhythm=_rhythm(settings),
            code_version=code_version,
            metrics=metrics,
        )
        self._switchboard = Switchboard(self._feed)
        self._mutes = MuteWatch(url, self._switchboard.feeds, self._places)
        self._claimer = Claimer(
            url,
            self._switchboard,
            admit=self._admit,
            welcome=RecentPast(self._ends, settings.recent_seconds, now),
            saturated=lambda: self._buffer.saturated,
        )
        self._heartbeat = Heartbeat(url, metrics.role, self.counters, now)
        self._exporter = Exporter(RuntimeSettings(), metrics, self._heartbeat)
        self._reporter = SocketReporter(url, self._heartbeat.process_id, self._switchboard.states)

    def counters(self) -> dict[str, object]:
        """Return what heartbeats carry."""
        writer = {
            "commits": self._writer.commits,
            "retries": self._writer.retries,
            "waiting": self._buffer.size,
            "saturated": self._buffer.saturated,
            "unheard": self._notifier.missed,
        }
        claims = {"owned": self._claimer.owned}
        return {
            "feeds": self._tallies.counters(),
            "writer": writer,
            "claims": claims,
            "pressure": self._memory.measure(self._buffer.gauge, self._room),
            "books": self._switchboard.books(),
            "outbound": self._outbound.counters(),
        }

    async def run(self, stopping: asyncio.Event) -> None:
        """Ingest until ``stopping``; then hand over, commit what was read, and tell the final counts."""
        closing = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for service in (self._heartbeat, self._exporter, self._reporter, self._mutes):
                group.create_task(service.run(stopping))
            group.create_task(self._notifier.run())
            claiming = group.create_task(self._claimer.run(stopping))
            work = group.create_task(self._work(closing))
            await stopping.wait()
            await wait_at_most(self._claimer.handed_over, _HAND_OVER_SECONDS)
            closing.set()
            await asyncio.wait({work}, timeout=self._settings.drain_within_seconds)
            if not work.done():
                logger.error("ingest.undrained", ticks=self._buffer.size)
                work.cancel()
            self._claimer.close()
            if not self._claimer.handed_over.is_set():
                claiming.cancel()
            self._notifier.close()
        await self._tell_end()

    async def _tell_end(self) -> None:
        try:
            await self._reporter.close()
        except StoreError as error:
            logger.warning("ingest.end_untold", error=str(error))
        await self._heartbeat.close()

    async def _work(self, closing: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._writer.run())
            await run_services([self._switchboard], closing)
            self._buffer.close()

    async def _admit(
        self, connection: "Connection", instruments: Sequence[Instrument]
    ) -> Mapping[str, Listed]:
        """List instruments, learn where their tapes end, and make room for what is said of them."""
        listed = await register(connection, instruments)
        places = {each.instrument_id: each for each in listed.values()}
        self._ends.update(await tape_ends(connection, places))
        self._places.update(places)
        for each in instruments:
            self._tallies.admit(each.exchange)
        return listed

    def _feed(self, route: Route, number: int, refuse: Refuse) -> Feed:
        patience = Patience(
            silence_seconds=route.venue.silence_seconds,
            acknowledge_within_seconds=self._settings.acknowledge_within_seconds,
        )
        return Feed(
            route,
            Intake(route.exchange, self._buffer, self._tallies, _continuity(route), self._ends),
            sampling=_sampling(self._settings),
            room=self._room,
            number=number,
            outbound=self._outbound,
            patience=patience,
            reconnect_delays=partial(delays, _FIRST_RECONNECT_SECONDS, self._settings.reconnect_cap_seconds),
            clock=now,
            refuse=refuse,
        )


def _continuity(route: Route) -> Continuity:
    road = history(route.exchange, route.market, route.protocol)
    return Continuity(contiguous=road is not None and road.contiguous)


def _sampling(settings: IngestSettings) -> Sampling:
    return Sampling(
        slot_seconds=settings.depth_slot_seconds,
        price_bps=settings.depth_price_bps,
        ratio=settings.depth_ratio,
    )


def _rhythm(settings: IngestSettings) -> Rhythm:
    return Rhythm(
        commit_after_seconds=settings.commit_after_seconds,
        commit_ticks=settings.commit_ticks,
        retry_delays=partial(delays, _FIRST_RETRY_SECONDS, settings.retry_cap_seconds),
    )
