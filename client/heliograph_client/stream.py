"""The stream: what is told, as it is told, through every loss of a connection."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect as connect_sync
from websockets.typing import Subprotocol

from heliograph_client.backoff import delays
from heliograph_client.errors import RefusedError, UnreachableError
from heliograph_client.events import Event
from heliograph_client.positions import Position
from heliograph_client.subscriptions import Admitted, DisturbedError, Subscriptions

logger = logging.getLogger("heliograph_client")

_SUBPROTOCOL = Subprotocol("heliograph.v1.json")
_LARGEST_FRAME_BYTES = 1 << 26
_OPEN_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_COME_BACK_NEVER = range(4400, 4500)
_FRAME_TOO_LARGE = 1009
_CLIENT_ERRORS = range(400, 500)
_PASSING = {408, 425, 429}
_LOST = (OSError, EOFError, ConnectionClosed, InvalidHandshake, DisturbedError)


class Returns:
    """When to come back after a loss, or not at all."""

    def __init__(self, address: str, tries: int) -> None:
        """Try so often until a first connection stands; after that, for ever."""
        self._address = address
        self._left = tries
        self._waits = delays()

    def heard(self) -> None:
        """Note that the connection works."""
        self._waits = delays()

    def after(self, error: Exception, *, established: bool) -> float:
        """Return the seconds to wait; raises RefusedError or UnreachableError when there is no way back."""
        if refused := _refused(error):
            raise refused from error
        self._left -= 1
        if not established and self._left <= 0:
            message = f"nothing answers at {self._address}: {str(error) or type(error).__name__}"
            raise UnreachableError(message) from error
        wait = next(self._waits)
        logger.warning(
            "connection lost (%s); trying again in %.1f s", str(error) or type(error).__name__, wait
        )
        return wait


def _refused(error: Exception) -> RefusedError | None:
    """Return what there is no coming back from before something is changed."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        final = status in _CLIENT_ERRORS and status not in _PASSING
        return RefusedError(f"the API refused the connection: {error}", status=status) if final else None
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        code = error.rcvd.code
        final = code in _COME_BACK_NEVER or code == _FRAME_TOO_LARGE
        return RefusedError(f"the API closed the connection: {error}", code=code) if final else None
    return None


class Stream:
    """Events of channels, each once and, of what is in the log, in order and without a hole.

    Iterate with ``for`` or with ``async for``: it ends by an error or not at all. Iterate again to go on.
    """

    def __init__(
        self, address: str, subscriptions: Subscriptions, *, tries: int, silence_seconds: float, agent: str
    ) -> None:
        """Connect when iteration begins."""
        self._address = address
        self._subscriptions = subscriptions
        self._tries = tries
        self._silence_seconds = silence_seconds
        self._agent = agent

    @property
    def position(self) -> Position:
        """Return where the stream stands: it has the offset of the event that was given last."""
        return self._subscriptions.position

    def __iter__(self) -> Iterator[Event]:
        """Iterate over events."""
        for admitted in self._follow():
            if admitted.event is not None:
                yield admitted.event

    async def __aiter__(self) -> AsyncGenerator[Event]:
        """Iterate over events."""
        async for admitted in self._follow_async():
            if admitted.event is not None:
                yield admitted.event

    def texts(self) -> Iterator[str]:
        """Iterate over frames as they came: events, and what tells of the connection, but no heartbeats."""
        for admitted in self._follow():
            yield admitted.text

    async def atexts(self) -> AsyncGenerator[str]:
        """Iterate over frames as ``texts`` does."""
        async for admitted in self._follow_async():
            yield admitted.text

    def _follow(self) -> Generator[Admitted]:
        returns = Returns(self._address, self._tries)
        while True:
            try:
                with connect_sync(self._address, **self._options()) as socket:
                    for request in self._subscriptions.requests():
                        socket.send(request)
                    while True:
                        yield from self._taken(socket.recv(self._silence_seconds), returns)
            except _LOST as error:
                wait = returns.after(error, established=self._subscriptions.established)
            time.sleep(wait)

    async def _follow_async(self) -> AsyncGenerator[Admitted]:
        returns = Returns(self._address, self._tries)
        while True:
            try:
                async with connect(self._address, **self._options()) as socket:
                    for request in self._subscriptions.requests():
                        await socket.send(request)
                    while True:
                        async with asyncio.timeout(self._silence_seconds):
                            text = await socket.recv()
                        for admitted in self._taken(text, returns):
                            yield admitted
            except _LOST as error:
                wait = returns.after(error, established=self._subscriptions.established)
            await asyncio.sleep(wait)

    def _taken(self, text: str | bytes, returns: Returns) -> Iterator[Admitted]:
        admitted = self._subscriptions.take(text)
        if admitted is None or admitted.event is not None:
            returns.heard()
        if admitted is not None:
            yield admitted

    def _options(self) -> dict[str, Any]:
        """Return how to connect. We send no pings: a slow reader would not hear their answers."""
        return {
            "subprotocols": [_SUBPROTOCOL],
            "compression": None,
            "max_size": _LARGEST_FRAME_BYTES,
            "open_timeout": _OPEN_SECONDS,
            "close_timeout": _CLOSE_SECONDS,
            "ping_interval": None,
            "user_agent_header": self._agent,
        }
