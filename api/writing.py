"""Frames that are encoded already, written many at once: an extension of ASGI's WebSocket.

ASGI sends one message at a time, and has each encoded for each receiver.
"""

from collections.abc import Awaitable, Callable
from typing import Final, cast

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_EXTENSION: Final = "heliograph.wire"
_WENT_AWAY: Final = 1006

Write = Callable[[bytes], Awaitable[None]]
"""Writes whole frames, once the socket takes more; raises WebSocketDisconnect when it is closed."""


class Wired(WebSocketsSansIOProtocol):
    """uvicorn's side of a WebSocket, which takes such frames, too."""

    async def run_asgi(self) -> None:
        """Run the application."""
        extensions = cast("dict[str, object]", self.scope["extensions"])
        extensions[_EXTENSION] = self._write
        await super().run_asgi()

    async def _write(self, frames: bytes) -> None:
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise WebSocketDisconnect(_WENT_AWAY)
        self.transport.write(frames)


def writing(socket: WebSocket) -> Write:
    """Return what writes to an accepted socket."""
    return cast("Write", socket.scope["extensions"][_EXTENSION])
