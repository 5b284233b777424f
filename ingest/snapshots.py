"""Fetching the book snapshots that a decoder wants."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

import structlog

from ingest.outbound.budgets import Lane
from ingest.outbound.outbound import Call, Outbound
from ingest.venues.history import Request
from ingest.venues.reach import Reach
from ingest.venues.venue import NOTHING, Decoded, Decoder
from market.errors import DecodeError, FeedError
from runtime.clock import Clock

logger = structlog.get_logger(__name__)

_AT_ONCE: Final = 4
"""Requests to one venue at the same time: snapshots are dear in its rate limits."""

Take = Callable[[Decoded], object]


class Snapshots:
    """Fetches books from one market; ``urls`` are by venue symbol, and may change.

    ``base`` stands in for the venue's hosts; without it they are asked in turn.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - its collaborators
        self,
        outbound: Outbound,
        reach: Reach,
        base: str | None,
        urls: Mapping[str, str],
        retry_delays: Callable[[], Iterator[float]],
        clock: Clock,
    ) -> None:
        self._outbound = outbound
        self._reach = reach
        self._base = base
        self.urls = urls
        self._retry_delays = retry_delays
        self._clock = clock
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def supply(self, venue_symbol: str, decoder: Decoder, take: Take) -> Decoded:
        """Hand fresh books to the decoder until it wants no more; return what it made of the last.

        What it made of earlier ones, which it rejected as too old, is taken by ``take``. A symbol that
        is not listened to any more is given up.
        """
        delays = self._retry_delays()
        while True:
            decoded = await self._try(venue_symbol, decoder)
            if venue_symbol not in decoded.snapshots_wanted:
                return decoded
            take(decoded)
            await asyncio.sleep(next(delays))
            if venue_symbol not in self.urls:
                return NOTHING

    async def _try(self, venue_symbol: str, decoder: Decoder) -> Decoded:
        try:
            body = await self._get(self.urls[venue_symbol])
            return decoder.snapshot(venue_symbol, body, self._clock())
        except (FeedError, DecodeError) as error:
            logger.warning("snapshot.failed", symbol=venue_symbol, error=str(error))
            return Decoded(snapshots_wanted=(venue_symbol,))

    async def _get(self, url: str) -> bytes:
        _, _, path, query, _ = urlsplit(url)
        request = Request(f"{path}?{query}", self._reach.snapshot_weight)
        async with self._slots:
            return await self._outbound.get(
                Call(reach=self._reach, request=request, lane=Lane.LIVE, base=self._base)
            )
