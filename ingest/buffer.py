"""Between the sockets and the writer: one bounded buffer."""

import asyncio
from collections import deque

import msgspec

from ingest.venues.venue import Decoded


class Arrival(msgspec.Struct, frozen=True):
    """What one frame of an exchange said."""

    exchange: str
    decoded: Decoded

    @property
    def size(self) -> int:
        """Return how many ticks and watermarks wait in it."""
        return self.decoded.ticks + len(self.decoded.watermarks)


class Buffer:
    """Holds up to ``bound`` ticks. When it is full ``put`` waits, and the sockets are not read."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._arrivals: deque[Arrival] = deque()
        self._closed = False
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self.size = 0
        """How many ticks and watermarks wait."""

    @property
    def full(self) -> bool:
        """Tell whether the writer is behind by the whole buffer."""
        return self.size >= self._bound

    async def put(self, arrival: Arrival) -> None:
        """Add what arrived, as soon as there is room."""
        while self.full:
            self._room.clear()
            await self._room.wait()
        self._arrivals.append(arrival)
        self.size += arrival.size
        self._filled.set()

    async def take(self, at_most: int) -> list[Arrival]:
        """Return what arrived, about ``at_most`` ticks of it, when there is something; nothing at the end."""
        await self.wait()
        taken: list[Arrival] = []
        size = 0
        while self._arrivals and size < at_most:
            taken.append(self._arrivals.popleft())
            size += taken[-1].size
        self.size -= size
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
