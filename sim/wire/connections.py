"""One WebSocket on a TCP connection.

What is read goes through the Sans-I/O protocol of ``websockets``; text is written as whole frames of our
own, so that a fault can cut one in two, leave pings unanswered, or reset the connection.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from struct import pack

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

from sim.wire.frames import text_frame
from sim.wire.http import Request

_CHUNK = 2**16
_LOOK_AGAIN_SECONDS = 0.005
_GIVE_UP_LOOKS = 200
_CLOSE_SECONDS = 2.5
_RESET_AT_CLOSE = pack("ii", 1, 0)
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class Connection:
    """An accepted WebSocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a TCP connection on which a handshake was asked for."""
        self._reader = reader
        self._writer = writer
        self._protocol = ServerProtocol()
        self._message = b""
        self._silent = False
        self._cuts_next = False
        self._cutting = False
        self._over = asyncio.Event()

    def accept(self, request: Request) -> bool:
        """Answer the handshake; tell whether there is a socket now."""
        self._protocol.receive_data(request.head)
        for event in self._protocol.events_received():
            if isinstance(event, Handshake):
                self._protocol.send_response(self._protocol.accept(event))
        self._flush()
        return self._protocol.state is State.OPEN

    @property
    def takes(self) -> bool:
        """Tell whether what is written now can arrive."""
        open_ = self._protocol.state is State.OPEN and not self._writer.transport.is_closing()
        return open_ and not self._silent and not self._cutting

    @property
    def waiting(self) -> int:
        """Return the bytes that the reader has not taken, beyond what the system holds for it."""
        return self._writer.transport.get_write_buffer_size()

    def write(self, frame: bytes) -> bool:
        """Write a whole frame; tell whether it can arrive."""
        if not self.takes:
            return False
        if self._cuts_next:
            self._cut(frame)
            return False
        self._writer.write(frame)
        return True

    def say(self, text: str) -> bool:
        """Write one message; tell whether it can arrive."""
        return self.write(text_frame(text.encode()))

    async def drained(self) -> None:
        """Wait while the reader is slow."""
        try:
            await self._writer.drain()
        except OSError:
            self._writer.transport.abort()

    async def messages(self) -> AsyncIterator[str]:
        """Yield what the other side says, until it is over."""
        try:
            while data := await self._reader.read(_CHUNK):
                if not self._silent:
                    for message in self._received(data):
                        yield message
        except OSError:
            self._writer.transport.abort()

    def over(self) -> None:
        """Give the connection up; everything that was written is still sent."""
        self._over.set()
        self._writer.close()

    def ping(self) -> None:
        """Ask whether the other side lives; nobody waits for the answer."""
        if self.takes:
            self._protocol.send_ping(b"")
            self._flush()

    def dismiss(self, code: int = CloseCode.GOING_AWAY) -> None:
        """Begin to close in order; a side that does not answer, or takes nothing any more, is cut off."""
        if self.takes:
            self._protocol.send_close(code)
            self._flush()
        seconds = 0 if self._silent else _CLOSE_SECONDS
        asyncio.get_running_loop().call_later(seconds, self._cut_off)

    async def closed(self) -> None:
        """Wait until the connection is over."""
        await self._over.wait()

    def reset(self) -> None:
        """Break the TCP connection off; what was not taken is gone."""
        plug = self._writer.get_extra_info("socket")
        if plug is not None and not self._writer.transport.is_closing():
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self._writer.transport.abort()

    def go_silent(self) -> None:
        """Say nothing any more and hear nothing, not even pings; the TCP connection stays."""
        self._silent = True

    def cut_next(self) -> None:
        """Let only the first half of the next frame be written, and reset then."""
        self._cuts_next = True

    def _cut(self, frame: bytes) -> None:
        self._cutting = True
        self._writer.write(frame[: len(frame) // 2])
        self._reset_when_sent(_GIVE_UP_LOOKS)

    def _cut_off(self) -> None:
        if not self._over.is_set():
            self._over.set()
            self._writer.transport.abort()

    def _reset_when_sent(self, looks: int) -> None:
        if self.waiting and looks:
            again = looks - 1
            asyncio.get_running_loop().call_later(_LOOK_AGAIN_SECONDS, self._reset_when_sent, again)
        else:
            self.reset()

    def _received(self, data: bytes) -> list[str]:
        self._protocol.receive_data(data)
        found = [self._assembled(event) for event in self._protocol.events_received()]
        self._flush()
        return [text for text in found if text is not None]

    def _assembled(self, event: object) -> str | None:
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            return None
        self._message += event.data
        if not event.fin:
            return None
        text, self._message = self._message.decode(errors="replace"), b""
        return text

    def _flush(self) -> None:
        """Send what the protocol has to say; an empty piece is the end."""
        for piece in self._protocol.data_to_send():
            if self._writer.transport.is_closing():
                return
            if piece:
                self._writer.write(piece)
            else:
                self.over()
