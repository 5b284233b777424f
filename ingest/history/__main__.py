"""Compose the runner of history: chunks in, trades and closed gaps out."""

import asyncio
import os
from functools import partial
from importlib.metadata import version

import msgspec
import structlog

from bus import budgets, publishing
from bus.settings import BusSettings
from db.processes import Heartbeat
from db.settings import DatabaseSettings
from ingest.history.fetching import Desk
from ingest.history.runner import NICENESS, Runner
from ingest.history.tallies import HistoryTally
from ingest.notifying import Notifier, Wire
from ingest.outbound.budgets import Shared
from ingest.outbound.opening import opened
from ingest.settings import HistorySettings, OutboundSettings
from market.errors import StoreError
from runtime.clock import now
from runtime.exporting import Exporter
from runtime.metrics import Metrics
from runtime.settings import RuntimeSettings

logger = structlog.get_logger(__name__)


async def run(stopping: asyncio.Event) -> None:
    """Be the runner, as the environment says, behind everybody else on this machine."""
    os.nice(NICENESS)
    url = DatabaseSettings().url.get_secret_value()
    bus_url = BusSettings().url.get_secret_value()
    async with publishing.opened(bus_url) as bus, budgets.opened(bus_url) as shared:
        await fetch_history(HistorySettings(), OutboundSettings(), url, bus, shared, stopping)


async def fetch_history(  # noqa: PLR0913, PLR0917 - it composes
    settings: HistorySettings,
    outbound_settings: OutboundSettings,
    url: str,
    wire: Wire,
    shared: Shared,
    stopping: asyncio.Event,
) -> None:
    """Heal what is to be healed in the database at ``url`` until ``stopping`` is set."""
    tally, notifier = HistoryTally(), Notifier(wire)
    async with opened(shared, url, outbound_settings) as outbound:

        def counters() -> dict[str, object]:
            return {**msgspec.to_builtins(tally), "outbound": outbound.counters()}

        heartbeat = Heartbeat(url, "ingest-history", counters, now)
        desk = Desk(outbound, settings, tally, partial(notifier.tell, ()), now, version("heliograph"))
        exporter = Exporter(RuntimeSettings(), Metrics("ingest-history"), heartbeat)
        async with asyncio.TaskGroup() as group:
            group.create_task(heartbeat.run(stopping))
            group.create_task(exporter.run(stopping))
            group.create_task(notifier.run())
            await Runner(url, desk, heartbeat.process_id).run(stopping)
            notifier.close()
        try:
            await heartbeat.close()
        except StoreError as error:
            logger.warning("history.end_untold", error=str(error))
