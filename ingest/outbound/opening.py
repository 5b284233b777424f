"""Open the way to venues."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from ingest.diagnosing import LOOPBACK
from ingest.outbound.budgets import Budgets, Shared
from ingest.outbound.outbound import Outbound
from ingest.outbound.peers import Peers
from ingest.settings import OutboundSettings

_HEADERS: Final = {"User-Agent": "heliograph", "Accept": "application/json"}
"""Coinbase refuses who does not say its name."""

_CONNECTIONS: Final = 16


@asynccontextmanager
async def opened(
    shared: Shared, database_url: str | None, settings: OutboundSettings
) -> AsyncIterator[Outbound]:
    """Open the way for as long as the block runs; without a database nobody else asks."""
    peers = _alone if database_url is None else Peers(database_url, settings.processes)
    limits = httpx.Limits(max_connections=_CONNECTIONS)
    timeout = settings.answer_within_seconds
    direct = {f"all://{host}": None for host in LOOPBACK if ":" not in host}
    async with httpx.AsyncClient(timeout=timeout, limits=limits, headers=_HEADERS, mounts=direct) as http:
        yield Outbound(http, Budgets(shared, peers, time.monotonic))


async def _alone() -> int:
    return 1
