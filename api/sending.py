"""The sending half of a connection: whatever its mailbox names, in order, many frames a write."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from api import formats, frames
from api.formats import Format, Frame
from api.frames import CloseCode
from api.hub import Hub
from api.mailbox import Mailbox
from api.settings import ApiSettings
from api.subscriptions import Position, Subscriptions
from api.writing import Wire
from db.publications import Stream
from market.errors import StoreError
from market.publications import Latest
from market.times import SECOND, to_iso
from runtime.clock import now
from runtime.metrics import Metrics

logger = structlog.get_logger(__name__)

_TRY_AGAIN_AFTER_SECONDS: Final = 0.5
_BYTES_A_WRITE: Final = 1 << 16
_NONE: Final = 2**63
"""A moment that never comes."""


class StalledError(Exception):
    """The subscriber took nothing for too long."""


class Sender:
    """Sends to one subscriber for as long as the mailbox is not to end; never more than it takes."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        wire: Wire,
        format_: Format,
        *,
        timed: bool,
        hub: Hub,
        mailbox: Mailbox,
        subscriptions: Subscriptions,
        settings: ApiSettings,
        metrics: Metrics,
    ) -> None:
        """Write frames of this format to a socket; ``timed``: each says when we heard and sent it."""
        self._wire = wire
        self._format = format_
        self._timed = timed
        self._hub = hub
        self._mailbox = mailbox
        self._subscriptions = subscriptions
        self._settings = settings
        self._clock = asyncio.get_running_loop().time
        self._next_heartbeat = self._clock() + settings.heartbeat_seconds
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._idle = False
        mailbox.shortcut = self
        self._published = metrics.counter("heliograph_publications_sent_total")
        self._conflated = metrics.counter("heliograph_conflated_total")
        self._sending = metrics.histogram("heliograph_sending_seconds")
        self._oldest = _NONE

    async def run(self) -> CloseCode:
        """Send until the mailbox is to end, or the subscriber takes nothing for too long; return why."""
        try:
            return await self._send()
        except StalledError:
            return CloseCode.STALLED

    async def _send(self) -> CloseCode:
        """Send until the mailbox is to end; at last tell where the subscriber stands."""
        while self._mailbox.ending is None:
            await self._until_due()
            await self._send_small()
            for stream in self._mailbox.take_moved():
                await self._send_small()
                await self._send_moved(stream)
            await self._flush()
        self._beat()
        await self._flush()
        return self._mailbox.ending

    # What arrives while there is nothing else to do is sent at once, by who brings it.

    def publish(self, stream: Stream, offset: int, frame: Frame) -> bool:
        """Send an entry of the log now, if it is next and nothing waits before it; tell whether it was."""
        position = self._subscriptions.positions.get(stream)
        if not self._free or position is None or position.offset != offset - 1 or position.resuming:
            return False
        if not self._wire.offer(self._bytes(frame)):
            return False
        position.offset = offset
        return True

    def show(self, latest: Latest) -> bool:
        """Send a latest value now, if nothing waits before it; tell whether it was."""
        return self._free and self._wire.offer(self._bytes(self._hub.showing.latest(latest, latest.count)))

    @property
    def _free(self) -> bool:
        return self._idle and not self._mailbox.arrived.is_set()

    async def _until_due(self) -> None:
        if not self._mailbox.arrived.is_set():
            self._idle = True
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(self._next_heartbeat, self._mailbox.rests_until())):
                    await self._mailbox.arrived.wait()
            self._idle = False
        self._mailbox.arrived.clear()

    async def _send_small(self) -> None:
        await self._send_reply()
        for latest, conflated in self._mailbox.take_due():
            self._conflated.inc(max(0, conflated - 1))
            await self._put(self._bytes(self._hub.showing.latest(latest, conflated)))
        if self._clock() >= self._next_heartbeat:
            self._next_heartbeat = self._clock() + self._settings.heartbeat_seconds
            self._beat()
        await self._send_reply()

    async def _send_reply(self) -> None:
        if self._mailbox.reply is not None:
            await self._put(formats.wire(self._mailbox.reply, self._format))
            await self._flush()
            self._mailbox.answered()

    def _beat(self) -> None:
        beat = frames.Heartbeat(to_iso(now()), self._subscriptions.moved())
        self._unsent.append(formats.wire(beat, self._format))

    async def _send_moved(self, stream: Stream) -> None:
        position = self._subscriptions.positions.get(stream)
        if position is None or self._mailbox.ending is not None:
            return
        if position.offset < self._hub.head(stream):
            await self._send_page(stream, position)
        if self._subscriptions.positions.get(stream) is position and self._mailbox.ending is None:
            await self._settle(stream, position)

    async def _send_page(self, stream: Stream, position: Position) -> None:
        try:
            page = await self._hub.page(stream, position.offset)
        except StoreError as error:
            logger.warning("stream.waits", channel=position.channel, error=str(error))
            await self._flush()
            await asyncio.sleep(_TRY_AGAIN_AFTER_SECONDS)
            return
        for offset, frame in page:
            self._oldest = min(self._oldest, frame.heard_at)
            await self._put(self._bytes(frame))
            position.offset = offset
        self._published.labels(stream.family).inc(len(page))

    async def _settle(self, stream: Stream, position: Position) -> None:
        head = self._hub.head(stream)
        if position.caught_up(head):
            caught_up = frames.CaughtUp(position.channel, position.offset)
            await self._put(formats.wire(caught_up, self._format))
        elif position.offset < head:
            self._mailbox.moved(stream)

    async def _put(self, frame: bytes) -> None:
        self._unsent.append(frame)
        self._unsent_bytes += len(frame)
        if self._unsent_bytes >= _BYTES_A_WRITE:
            await self._flush()
            await asyncio.sleep(0)  # an open socket takes them without waiting, and others want their turn

    async def _flush(self) -> None:
        if not self._unsent:
            return
        unsent, self._unsent, self._unsent_bytes = b"".join(self._unsent), [], 0
        if not self._wire.offer(unsent):
            try:
                async with asyncio.timeout(self._settings.stalled_seconds):
                    await self._wire.put(unsent)
            except TimeoutError as error:
                raise StalledError from error
        if self._oldest < _NONE:
            self._sending.observe((now() - self._oldest) / SECOND)
            self._oldest = _NONE

    def _bytes(self, frame: Frame) -> bytes:
        return frame.timed(self._format, now()) if self._timed else frame.wire(self._format)
