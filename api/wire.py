"""HTTP as it comes off the wire: heads that are small and soon here, answers that are taken."""

import asyncio
import socket
import struct
from collections import Counter
from functools import partial
from http import HTTPStatus
from typing import Any, Final, NamedTuple, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api import problems
from api.refusals import HEAD_TOO_LARGE, HEAD_TOO_SLOW, MALFORMED, TOO_MANY_CONNECTIONS, Refusal
from api.settings import ApiSettings

_UNKNOWN_PATH: Final = ""

_PIPELINED: Final = 16
"""Requests that may wait for the answers to those before them; each is kept whole."""


_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""A reset, and nothing kept for who does not take it."""


class _CrowdedError(Exception):
    """More requests were sent at once than may wait; ends the parsing of what came with them."""


class Bounds(NamedTuple):
    """What one connection may take; ``trusted`` proxies may open as many as they want."""

    head_bytes: int
    head_seconds: float
    stalled_seconds: float
    open_at_once: int
    trusted: frozenset[str]


class Wire(HttpToolsProtocol):
    """A connection of uvicorn's that refuses who sends too much, too slowly, or takes nothing."""

    def __init__(self, bounds: Bounds, open_by: Counter[str], **given: Any) -> None:
        """Count connections by address in ``open_by``, which all connections of a server share."""
        super().__init__(**given)
        self._bounds = bounds
        self._open_by = open_by
        self._counted = ""
        self._head_bytes = 0
        self._in_head = True
        self._crowded = False
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse at once who has too many, and expect a head soon of everybody else."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if address and address not in self._bounds.trusted:
            self._counted = address
            self._open_by[address] += 1
            if self._open_by[address] > self._bounds.open_at_once:
                detail = (
                    f"{address} has {self._bounds.open_at_once} connections open already: close one first"
                )
                self._refuse(TOO_MANY_CONNECTIONS, detail, "retry-after: 1\r\n")
                return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._uncount()
        self._cancel()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, as long as the head does not grow too large."""
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self._bounds.head_bytes and not self.transport.is_closing():
            self._refuse(HEAD_TOO_LARGE, f"the head is larger than {self._bounds.head_bytes} bytes")

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the stream, which has limits of its own."""
        self._uncount()
        self._cancel()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """Expect the rest of the head soon."""
        super().on_message_begin()
        if not self._in_head:
            self._in_head, self._head_bytes = True, 0
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Expect nothing more of the head."""
        self._in_head = False
        self._head_bytes = 0
        self._cancel()
        if len(self.pipeline) >= _PIPELINED:
            self._crowded = True
            raise _CrowdedError
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """Let go who takes nothing of its answer for long."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self._bounds.stalled_seconds, self._cut)

    def resume_writing(self) -> None:
        """Note that something was taken."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP as everything else is answered."""
        if self._crowded:  # an answer would come before those that are still owed
            self._cut()
        else:
            self._refuse(MALFORMED, msg)

    def _cut(self) -> None:
        """End it at once, with what the system still keeps to send."""
        line = self.transport.get_extra_info("socket")
        if line.family in (socket.AF_INET, socket.AF_INET6):
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._bounds.head_seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._deadline = None
        self._refuse(HEAD_TOO_SLOW, f"the head was not here within {self._bounds.head_seconds:g} s")

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _uncount(self) -> None:
        if self._counted:
            self._open_by[self._counted] -= 1
            if not self._open_by[self._counted]:
                del self._open_by[self._counted]
            self._counted = ""

    def _refuse(self, refusal: Refusal, detail: str, more: str = "") -> None:
        self._cancel()
        body = bytes(problems.answer(_UNKNOWN_PATH, refusal, detail).body)
        status = HTTPStatus(refusal.status)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n{more}\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def wire(settings: ApiSettings, trusted: frozenset[str]) -> type[asyncio.Protocol]:
    """Return what uvicorn makes a connection with."""
    bounds = Bounds(
        head_bytes=settings.max_head_bytes,
        head_seconds=settings.head_within_seconds,
        stalled_seconds=settings.stalled_seconds,
        open_at_once=settings.connections_per_address,
        trusted=trusted,
    )
    return cast("type[asyncio.Protocol]", partial(Wire, bounds, Counter()))
