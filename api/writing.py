"""Frames that are encoded already, written many at once: an extension of ASGI's WebSocket.

ASGI sends one message at a time, and has each encoded for each receiver.
"""

from typing import Final, Protocol, cast

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_EXTENSION: Final = "heliograph.wire"
_WENT_AWAY: Final = 1006


class Wire(Protocol):
    """Where whole frames are written to."""

    async def put(self, frames: bytes) -> None:
        """Write once the socket takes more; raises WebSocketDisconnect when it is closed."""

    def offer(self, frames: bytes) -> bool:
        """Write if the socket takes more at once; tell whether it did."""


class Wired(WebSocketsSansIOProtocol):
    """uvicorn's side of a WebSocket, which is such a wire, too."""

    async def run_asgi(self) -> None:
        """Run the application."""
        extensions = cast("dict[str, object]", self.scope["extensions"])
        extensions[_EXTENSION] = self
        await super().run_asgi()

    async def put(self, frames: bytes) -> None:
        """Write once the socket takes more."""
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise WebSocketDisconnect(_WENT_AWAY)
        self.transport.write(frames)

    def offer(self, frames: bytes) -> bool:
        """Write if the socket takes more at once."""
        if not self.writable.is_set() or self.disconnected or self.close_sent:
            return False
        self.transport.write(frames)
        return True


def wire_of(socket: WebSocket) -> Wire:
    """Return what writes to an accepted socket."""
    return cast("Wire", socket.scope["extensions"][_EXTENSION])
