"""Who listens to a simulated venue, and to what."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from sim.protocols.protocol import Topic, Topics

_CLOSE_SECONDS = 1.0


class Listener:
    """One connection and what it subscribed to."""

    def __init__(self, connection: ServerConnection, topics: Topics) -> None:
        """Take an open connection."""
        self._connection = connection
        self.topics = topics

    async def send(self, text: bytes | str) -> bool:
        """Send one message, waiting while the reader is slow; tell whether the connection took it."""
        try:
            await self._connection.send(text, text=True)
        except ConnectionClosed:
            return False
        return True

    async def dismiss(self) -> None:
        """Close the connection, cutting off a reader that takes nothing any more."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._connection.close(CloseCode.GOING_AWAY)
        except TimeoutError:
            self._connection.transport.abort()


class Audience:
    """All open connections."""

    def __init__(self, wanted: frozenset[Topic], settle_seconds: float) -> None:
        """Take what a complete listener subscribes to, and how long others may take to ask for more."""
        self._wanted = wanted
        self._settle_seconds = settle_seconds
        self._listeners: set[Listener] = set()
        self._changed = asyncio.Event()

    @contextmanager
    def joined(self, listener: Listener) -> Iterator[None]:
        """Count the listener in while the block runs."""
        self._listeners.add(listener)
        self._changed.set()
        try:
            yield
        finally:
            self._listeners.discard(listener)
            self._changed.set()

    def subscribe(self, listener: Listener, topics: Topics) -> None:
        """Let the listener hear these topics from the next frame on."""
        listener.topics = topics
        self._changed.set()

    @property
    def all(self) -> tuple[Listener, ...]:
        """Return every open connection."""
        return tuple(self._listeners)

    @property
    def subscribed(self) -> tuple[Listener, ...]:
        """Return those who listen to anything."""
        return tuple(listener for listener in self._listeners if listener.topics)

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
        async with asyncio.TaskGroup() as closing:
            for listener in self.all:
                closing.create_task(listener.dismiss())

    def _complete(self, connections: int) -> bool:
        listeners = self.subscribed
        return len(listeners) >= connections and all(
            self._wanted <= listener.topics.keys() for listener in listeners
        )
