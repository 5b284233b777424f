"""Many subscribers in one process that only read: ``python -m bench.audience``, for bench.stream."""

import asyncio
import base64
import os
import resource
import sys
import time
from array import array
from collections.abc import Callable
from typing import Final, cast
from urllib.parse import urlsplit

import msgspec
import numpy as np
import uvloop
from websockets.frames import Frame, Opcode

SENT_AT: Final = b'"sent_ns":'
"""Stands before the time at which a frame was sent, by the monotonic clock that all processes share."""

_OPENED_AT_ONCE: Final = 64
_TIMED: Final = 8
"""One subscriber in so many reads the time of each frame; the others count, so that they do not bound it."""

_WELCOMED_WITHIN_SECONDS: Final = 60.0
_HEAD_END: Final = b"\r\n\r\n"
_SHORT, _LONG = 126, 127


class Plan(msgspec.Struct, frozen=True):
    """Who listens: ``count`` subscribers that say ``hello``, and are answered with ``welcome``.

    The first ``stalled`` then stop reading.
    """

    url: str
    count: int
    stalled: int
    hello: str
    welcome: str


class Heard(msgspec.Struct, frozen=True):
    """What those heard who read: frames with a time, and how long those that were timed were under way."""

    frames: int
    p50_ms: float
    p99_ms: float
    max_ms: float


class _Tally:
    """Frames heard by all, and how long each was under way."""

    def __init__(self) -> None:
        self.frames = 0
        self.nanoseconds = array("q")
        self.welcomed = 0


class _Listener(asyncio.Protocol):
    """One subscriber: says hello once it may, and then reads frames off the wire."""

    def __init__(self, plan: Plan, tally: _Tally, opened: asyncio.Future[None], *, timed: bool) -> None:
        self._plan = plan
        self._timed = timed
        self._tally = tally
        self._opened = opened
        self._rest = b""
        self._welcome = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        target = urlsplit(self._plan.url)
        path = target._replace(scheme="", netloc="").geturl()
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {path} HTTP/1.1\r\nHost: {target.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if self._welcome and not self._timed:
            self._tally.frames += data.count(SENT_AT)
            self._rest = data[1 - len(SENT_AT) :]
            return
        if not self._opened.done():
            head, end, data = data.partition(_HEAD_END)
            if not end:
                self._rest = head
                return
            hello = Frame(Opcode.TEXT, self._plan.hello.encode())
            self.transport.write(hello.serialize(mask=True))
            self._opened.set_result(None)
        self._rest = data[self._read(data) :]

    def _read(self, data: bytes) -> int:
        """Take in whole frames; return where the first that is not whole begins."""
        at, size = 0, len(data)
        while at + 2 <= size:
            head, length = 2, data[at + 1]
            if length == _SHORT:
                head, length = 4, int.from_bytes(data[at + 2 : at + 4])
            elif length == _LONG:
                head, length = 10, int.from_bytes(data[at + 2 : at + 10])
            end = at + head + length
            if end > size or (head > 2 and at + head > size):  # noqa: PLR2004 - the shortest head
                break
            self._take(data, at + head, end)
            at = end
        return at

    def _take(self, data: bytes, begin: int, end: int) -> None:
        """Take in a frame, in which a server may have put several publications."""
        found = data.find(SENT_AT, begin, end)
        if found < 0 and not self._welcome and data.find(self._plan.welcome.encode(), begin, end) >= 0:
            self._welcome = True
            self._tally.welcomed += 1
        while found >= 0:
            number = found + len(SENT_AT)
            last = data.index(b"}", number)
            self._tally.frames += 1
            self._tally.nanoseconds.append(time.monotonic_ns() - int(data[number:last]))
            found = data.find(SENT_AT, last, end)


async def _open(plan: Plan, tally: _Tally) -> list[_Listener]:
    loop = asyncio.get_running_loop()
    target = urlsplit(plan.url)
    gate = asyncio.Semaphore(_OPENED_AT_ONCE)

    async def one(index: int) -> _Listener:
        async with gate:
            opened: asyncio.Future[None] = loop.create_future()
            make: Callable[[], _Listener] = lambda: _Listener(plan, tally, opened, timed=index % _TIMED == 0)  # noqa: E731
            _, listener = await loop.create_connection(make, target.hostname or "", target.port or 0)
            await opened
            return listener

    listeners = await asyncio.gather(*map(one, range(plan.count)))
    async with asyncio.timeout(_WELCOMED_WITHIN_SECONDS):
        while tally.welcomed < plan.count:  # noqa: ASYNC110 - what ends this comes over many sockets
            await asyncio.sleep(0.05)
    return listeners


async def _main(plan: Plan) -> None:
    tally = _Tally()
    listeners = await _open(plan, tally)
    for listener in listeners[: plan.stalled]:
        listener.transport.pause_reading()
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while (await loop.run_in_executor(None, sys.stdin.readline)).strip() == "count":
        print(tally.frames, flush=True)
    print(msgspec.json.encode(_heard(tally)).decode(), flush=True)


def _heard(tally: _Tally) -> Heard:
    if not tally.nanoseconds:
        return Heard(tally.frames, 0.0, 0.0, 0.0)
    milliseconds = np.frombuffer(tally.nanoseconds, dtype=np.int64) / 1e6
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return Heard(tally.frames, float(p50), float(p99), float(milliseconds.max()))


def allow_many_files() -> None:
    """Let this process, and those that it starts, have as many sockets as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    allow_many_files()
    uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))
