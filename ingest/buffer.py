"""Between the sockets and the writer: one bounded buffer."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from ingest.findings import NOTHING, Findings
from ingest.pressure import Gauge
from ingest.venues.venue import Decoded
from market.depths import Depth

_ARRIVAL_BYTES: Final = 350
_TRADE_BYTES: Final = 240
_QUOTE_BYTES: Final = 300
_DEPTH_BYTES: Final = 360
_LEVEL_BYTES: Final = 64
_WATERMARK_BYTES: Final = 130
_REJECTION_BYTES: Final = 150
"""What each holds in memory, as tracemalloc measures it; a rejection's payload comes on top."""


class Arrival(msgspec.Struct, frozen=True):
    """What one frame of an exchange said, and what it showed."""

    exchange: str
    decoded: Decoded
    findings: Findings = NOTHING

    @property
    def size(self) -> int:
        """Return how many ticks and watermarks wait in it."""
        return self.decoded.ticks + len(self.decoded.watermarks)

    @property
    def bytes(self) -> int:
        """Return about how much memory it holds."""
        decoded = self.decoded
        return (
            _ARRIVAL_BYTES
            + _TRADE_BYTES * len(decoded.trades)
            + _QUOTE_BYTES * len(decoded.quotes)
            + sum(map(_depth_bytes, decoded.depths))
            + _WATERMARK_BYTES * len(decoded.watermarks)
            + sum(_REJECTION_BYTES + len(rejection.payload) for rejection in decoded.rejections)
        )


def _depth_bytes(depth: Depth) -> int:
    return _DEPTH_BYTES + _LEVEL_BYTES * (len(depth.bid_prices) + len(depth.ask_prices))


class Buffer:
    """Holds up to ``bound`` ticks in up to ``bound_bytes`` of memory, and one frame beyond.

    When it is full ``put`` waits, and the sockets are not read.
    """

    def __init__(
        self, bound: int, bound_bytes: int = 64 * 2**20, time: Callable[[], float] = time.monotonic
    ) -> None:
        self._bound = bound
        self._bound_bytes = bound_bytes
        self._arrivals: deque[Arrival] = deque()
        self._closed = False
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self.gauge = Gauge(time)
        """How full it is, and was."""
        self.size = 0
        """How many ticks and watermarks wait."""
        self.bytes = 0
        """About how much memory they hold."""

    @property
    def full(self) -> bool:
        """Tell whether the writer is behind by the whole buffer."""
        return self.size >= self._bound or self.bytes >= self._bound_bytes

    @property
    def saturated(self) -> bool:
        """Tell whether it was full and is not half empty yet: no time for more feeds."""
        return self.gauge.saturated

    async def put(self, arrival: Arrival) -> None:
        """Add what arrived, as soon as there is room."""
        if self.full:
            with self.gauge.pausing():
                await self._wait_for_room()
        self._arrivals.append(arrival)
        self._grow(arrival.size, arrival.bytes)
        self._filled.set()

    async def take(self, at_most: int) -> list[Arrival]:
        """Return what arrived, about ``at_most`` ticks of it, when there is something; nothing at the end."""
        await self.wait()
        taken: list[Arrival] = []
        size = 0
        while self._arrivals and size < at_most:
            taken.append(self._arrivals.popleft())
            size += taken[-1].size
        self._grow(-size, -sum(arrival.bytes for arrival in taken))
        self._room.set()
        return taken

    async def wait(self) -> None:
        """Wait until there is something, or the end."""
        while not self._arrivals and not self._closed:
            self._filled.clear()
            await self._filled.wait()

    def close(self) -> None:
        """Say that nothing more will arrive."""
        self._closed = True
        self._filled.set()

    async def _wait_for_room(self) -> None:
        while self.full:
            self._room.clear()
            await self._room.wait()

    def _grow(self, size: int, held: int) -> None:
        self.size += size
        self.bytes += held
        self.gauge.became(max(self.size / self._bound, self.bytes / self._bound_bytes))
