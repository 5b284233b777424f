"""A subscriber like any other: a WebSocket to the API, counting what arrives and how long it took."""

import asyncio
from array import array
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from market.channels import Family
from market.errors import StackError
from market.times import from_iso
from runtime.backoff import delays
from runtime.clock import Clock

logger = structlog.get_logger(__name__)

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 1.0


class Result(msgspec.Struct, frozen=True):
    """Where one channel's subscription begins: the offsets of its streams."""

    offsets: dict[str, int] | None = None


class Received(msgspec.Struct, frozen=True):
    """The part of a stream frame that is looked at."""

    op: str
    channel: str = ""
    offset: int | None = None
    data: dict[str, Any] | None = None
    results: list[Result] = []
    message: str = ""


class Receipts:
    """What arrived: publications by family, each counted once, and the latency of signals in microseconds."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.delivered = dict.fromkeys((Family.SIGNALS, Family.BARS), 0)
        self.latencies_us = array("q")
        self.last: dict[str, int] = {}

    def begin(self, result: Result) -> None:
        """Take note of where a subscription begins."""
        for channel, offset in (result.offsets or {}).items():
            self.last.setdefault(channel, offset)

    def take(self, frame: Received, received_at: int) -> None:
        """Count a publication, unless it was counted already."""
        if frame.offset is None or frame.offset <= self.last.get(frame.channel, 0):
            return
        self.last[frame.channel] = frame.offset
        family = Family(frame.channel.partition(":")[0])
        self.delivered[family] += 1
        if family is Family.SIGNALS and frame.data and frame.data.get("latency_ms"):  # a repair has none
            self.latencies_us.append(received_at - from_iso(frame.data["received_at"]))

    def after(self, channel: str) -> dict[str, int]:
        """Return the offsets to resume a wildcard from."""
        prefix = f"{channel.partition(':')[0]}:"
        return {name: offset for name, offset in self.last.items() if name.startswith(prefix)}


class StreamSubscriber:
    """Follows channels through every loss of the API, resuming where it was."""

    def __init__(self, url: str, channels: list[str], clock: Clock) -> None:
        """Describe the subscriber; ``run`` connects."""
        self._url = url
        self._channels = channels
        self._clock = clock
        self._decode: Callable[[str | bytes], Received] = msgspec.json.Decoder(Received).decode
        self.subscribed = asyncio.Event()
        self.receipts = Receipts()

    async def run(self) -> None:
        """Receive for ever."""
        waits = delays(_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS)
        while True:
            try:
                async with connect(self._url, compression=None, max_size=None) as socket:
                    await self._receive(socket)
            except (OSError, ConnectionClosed, InvalidStatus) as error:
                logger.info("subscriber.disconnected", error=str(error))
            await asyncio.sleep(next(waits))

    async def _receive(self, socket: ClientConnection) -> None:
        await socket.send(self._request())
        async for text in socket:
            received_at = self._clock()
            self._handle(self._decode(text), received_at)

    def _handle(self, frame: Received, received_at: int) -> None:
        if frame.op == "subscribed":
            for result in frame.results:
                self.receipts.begin(result)
            self.subscribed.set()
        elif frame.op == "error":
            message = f"the API refused to be subscribed to: {frame.message}"
            raise StackError(message)
        else:
            self.receipts.take(frame, received_at)

    def _request(self) -> str:
        resuming = self.subscribed.is_set()
        asks = [
            {"channel": channel, **({"after": self.receipts.after(channel)} if resuming else {})}
            for channel in self._channels
        ]
        return msgspec.json.encode({"op": "subscribe", "id": 1, "channels": asks}).decode()
