"""The two formats of the stream, and frames that are encoded once for all who receive them.

A frame is made as JSON text, since publications carry their data as such; its MessagePack is made of that
when the first subscriber of that format needs it. Both are kept as they go onto the wire: what a server
sends is not masked (RFC 6455, 5.1), so that all receivers are sent the same bytes.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import msgspec
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode

from market.times import to_iso
from runtime.clock import now

_SHORT: Final = 126
"""Payloads below this have their length in the second byte of a frame; this stands for two bytes more."""

_unpack_json = msgspec.json.Decoder().decode
_pack: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode


class Format(StrEnum):
    """How frames are written, by the name of the subprotocol that asks for it."""

    JSON = "heliograph.v1.json"
    MSGPACK = "heliograph.v1.msgpack"


class Frame:
    """A frame on the wire, in each format that was asked for; ``heard_at`` is when we had it, our time."""

    __slots__ = ("_json", "_msgpack", "heard_at")

    def __init__(self, text: bytes) -> None:
        """Take the frame's JSON."""
        self._json = _wired(Opcode.TEXT, text)
        self._msgpack: bytes | None = None
        self.heard_at = now()

    def wire(self, format_: Format) -> bytes:
        """Return the bytes to send."""
        if format_ is Format.JSON:
            return self._json
        if self._msgpack is None:
            self._msgpack = _wired(Opcode.BINARY, _pack(_unpack_json(_payload(self._json))))
        return self._msgpack

    def timed(self, format_: Format, sent_at: int) -> bytes:
        """Return the bytes to send to a subscriber who wants to know when we heard and sent it."""
        times = f',"heard_at":"{to_iso(self.heard_at)}","sent_at":"{to_iso(sent_at)}"}}'
        frame = Frame(bytes(_payload(self._json)[:-1]) + times.encode())
        return frame.wire(format_)


def wire(frame: msgspec.Struct, format_: Format) -> bytes:
    """Return the bytes to send of a frame that one subscriber receives."""
    if format_ is Format.JSON:
        return _wired(Opcode.TEXT, msgspec.json.encode(frame))
    return _wired(Opcode.BINARY, _pack(frame))


def _wired(opcode: Opcode, payload: bytes) -> bytes:
    return WireFrame(opcode, payload).serialize(mask=False)


def _payload(wired: bytes) -> memoryview:
    length = wired[1]
    head = 2 if length < _SHORT else 4 if length == _SHORT else 10
    return memoryview(wired)[head:]
