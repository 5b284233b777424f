"""Between the sockets and the writer: one bounded buffer."""

import asyncio
from collections import deque

import msgspec

from ingest.venues.venue import Decoded


class Arrival(msgspec.Struct, frozen=True):
    """What one frame of an exchange said."""

    exchange: str
    decoded: Decoded


class Buffer:
    """Holds up to ``bound`` ticks. When it is full ``put`` waits, and the sockets are not read."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._arrivals: deque[Arrival] = deque()
        self._closed = False
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self.ticks = 0
        """How many ticks wait."""

    @property
    def full(self) -> bool:
        """Tell whether the writer is behind by the whole buffer."""
        return self.ticks >= self._bound

    async def put(self, arrival: Arrival) -> None:
        """Add what arrived, as soon as there is room."""
        while self.full:
            self._room.clear()
            await self._room.wait()
        self._arrivals.append(arrival)
        self.ticks += arrival.decoded.ticks
        self._filled.set()

    async def take(self, at_most: int) -> list[Arrival]:
        """Return what arrived, about ``at_most`` ticks of it, when there is something; nothing at the end."""
        await self.wait()
        taken: list[Arrival] = []
        ticks = 0
        while self._arrivals and ticks < at_most:
            taken.append(self._arrivals.popleft())
            ticks += taken[-1].decoded.ticks
        self.ticks -= ticks
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
