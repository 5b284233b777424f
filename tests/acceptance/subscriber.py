"""A subscriber that takes every publication on one connection, and no hole and no repeat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

CHANNELS = ("signals:*:*", "bars:*:*")
LOGGED = ("signal", "bar", "correction")

Frames = dict[str, list[dict[str, Any]]]
"""What was received of each channel, in the order received."""


class Subscriber:
    """Subscribed to everything that is logged, since before there was anything."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.frames: Frames = {}
        self.count = 0

    async def subscribe(self) -> None:
        channels = [{"channel": name} for name in CHANNELS]
        await self._socket.send(
            msgspec.json.encode({"op": "subscribe", "id": 1, "channels": channels}).decode()
        )
        assert "subscribed" == msgspec.json.decode(await self._socket.recv())["op"]

    async def listen(self) -> None:
        """Listen until cancelled; the connection may not end."""
        async for text in self._socket:
            frame = msgspec.json.decode(text)
            assert "error" != frame["op"], frame
            if frame["op"] in LOGGED:
                self._take(frame)
        raise AssertionError(self._socket.close_code, self._socket.close_reason)

    def _take(self, frame: dict[str, Any]) -> None:
        stream = self.frames.setdefault(frame["channel"], [])
        assert len(stream) + 1 == frame["offset"], frame
        stream.append(frame)
        self.count += 1


@asynccontextmanager
async def subscribed(url: str) -> AsyncIterator[Subscriber]:
    """Give a subscriber of the API at ``url`` that listens while the block runs."""
    stream = url.replace("http", "ws", 1) + "/v1/stream"
    async with connect(stream, compression=None, max_size=None) as socket, asyncio.TaskGroup() as group:
        subscriber = Subscriber(socket)
        await subscriber.subscribe()
        listening = group.create_task(subscriber.listen())
        yield subscriber
        listening.cancel()
