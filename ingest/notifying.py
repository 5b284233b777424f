"""Telling the others what was committed, beside the writer and never in its way."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec
import structlog

from market.channels import Family
from market.errors import BusUnavailableError
from market.publications import Latest

logger = structlog.get_logger(__name__)

_TRY_AGAIN_AFTER_SECONDS = 0.1


class Wire(Protocol):
    """The part of the bus that ingest speaks on; its methods raise BusUnavailableError."""

    async def wake(self, shards: Sequence[int]) -> None:
        """Wake the workers of these shards."""

    async def latest(self, values: Sequence[Latest]) -> None:
        """Hand newest values to the hubs."""


class Notifier:
    """Wakes workers and carries newest values, best effort: who is not told finds it in PostgreSQL.

    What is not sent yet is merged, so that it never holds more than each shard, each instrument's
    newest values, and each gap, however slow the bus.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._news = asyncio.Event()
        self._shards: set[int] = set()
        self._latest: dict[tuple[int, Family, int], Latest] = {}
        self._up = True
        self._closed = False
        self.missed = 0
        """How often the bus could not be told."""

    def tell(self, shards: Iterable[int], latest: Iterable[Latest]) -> None:
        """Say soon that these shards have batches, and what is newest."""
        self._shards.update(shards)
        for value in latest:
            self._latest[value.slot] = _newer(self._latest.get(value.slot), value)
        self._news.set()

    async def run(self) -> None:
        """Tell whatever there is to tell, until ``close``."""
        while not self._closed or self._shards or self._latest:
            await self._news.wait()
            self._news.clear()
            if not await self._send():
                await asyncio.sleep(_TRY_AGAIN_AFTER_SECONDS)

    def close(self) -> None:
        """End once what is left has been told."""
        self._closed = True
        self._news.set()

    async def _send(self) -> bool:
        shards, self._shards = sorted(self._shards), set()
        latest, self._latest = list(self._latest.values()), {}
        try:
            if shards:
                await self._wire.wake(shards)
            if latest:
                await self._wire.latest(latest)
        except BusUnavailableError as error:
            self._lost(error)
        else:
            self._up = True
        return self._up

    def _lost(self, error: BusUnavailableError) -> None:
        self.missed += 1
        if self._up:
            logger.warning("bus.unavailable", error=str(error))
        self._up = False


def _newer(one: Latest | None, other: Latest) -> Latest:
    if one is None:
        return other
    newest = max(one, other, key=lambda value: (value.ts, value.id))
    return msgspec.structs.replace(newest, count=one.count + other.count)
