"""Who is connected to the simulated venue."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sim.protocols.protocol import Topic, Topics
from sim.wire.connections import Connection


class Listener:
    """One connection and what it subscribed to."""

    def __init__(self, connection: Connection, topics: Topics, most_waiting: int | None = None) -> None:
        """Take an open connection; beyond so many waiting bytes it is cut off, or waited for if None."""
        self.connection = connection
        self._most_waiting = most_waiting
        self.topics = topics
        self.was_cut_off = False

    async def send(self, frame: bytes) -> bool:
        """Send one frame; tell whether the connection took it."""
        if self._most_waiting is None:
            await self.connection.drained()
        elif self.connection.waiting > self._most_waiting:
            self._cut_off()
        return self.connection.write(frame)

    def _cut_off(self) -> None:
        """Reset the connection of a reader that is too slow, as venues do."""
        self.was_cut_off = True
        self.connection.reset()


class Audience:
    """All open connections."""

    def __init__(self, wanted: frozenset[Topic], settle_seconds: float) -> None:
        """Take what a complete listener subscribes to, and how long others may take to ask for more."""
        self._wanted = wanted
        self._settle_seconds = settle_seconds
        self._listeners: set[Listener] = set()
        self._changed = asyncio.Event()
        self.subscribed: tuple[Listener, ...] = ()
        """Those who listen to anything."""

    @contextmanager
    def joined(self, listener: Listener) -> Iterator[None]:
        """Count the listener in while the block runs."""
        self._listeners.add(listener)
        self._note()
        try:
            yield
        finally:
            self._listeners.discard(listener)
            self._note()

    def subscribe(self, listener: Listener, topics: Topics) -> None:
        """Let the listener hear these topics from the next frame on."""
        listener.topics = topics
        self._note()

    @property
    def all(self) -> tuple[Listener, ...]:
        """Return every open connection."""
        return tuple(self._listeners)

    async def settled(self, connections: int) -> None:
        """Wait for so many subscribed connections that have everything, or ask for nothing more."""
        while not self._complete(connections):
            self._changed.clear()
            enough = len(self.subscribed) >= connections
            try:
                async with asyncio.timeout(self._settle_seconds if enough else None):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def dismiss(self) -> None:
        """Close every connection."""
        for listener in self.all:
            listener.connection.dismiss()
        await asyncio.gather(*(listener.connection.closed() for listener in self.all))

    def _note(self) -> None:
        self.subscribed = tuple(listener for listener in self._listeners if listener.topics)
        self._changed.set()

    def _complete(self, connections: int) -> bool:
        listeners = self.subscribed
        return len(listeners) >= connections and all(
            self._wanted <= listener.topics.keys() for listener in listeners
        )
