"""One subscriber: a reader, a sender, and a watch over the sender."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from api import frames
from api.frames import CloseCode, Code
from api.hub import Hub
from api.mailbox import Mailbox
from api.settings import ApiSettings
from api.subscriptions import Position, Start, Subscriptions, Wanted, result, start
from db.instruments import Listed
from db.publications import Bounds, Stream
from market.channels import Channel
from market.errors import HeliographError, RefusedRequestError, StoreError
from market.times import to_iso
from runtime.clock import now
from runtime.metrics import Metrics

logger = structlog.get_logger(__name__)

_TRY_AGAIN_AFTER_SECONDS: Final = 0.5
_CLOSED_WITHIN_SECONDS: Final = 1.0
_FRAMES_A_TURN: Final = 64


class Connection:
    """Lives as long as its socket."""

    def __init__(self, socket: WebSocket, hub: Hub, settings: ApiSettings, metrics: Metrics) -> None:
        """Take an accepted socket."""
        self._socket = socket
        self._hub = hub
        self._settings = settings
        self._clock = asyncio.get_running_loop().time
        self._mailbox = Mailbox(self._clock)
        self._subscriptions = Subscriptions()
        self._next_heartbeat = self._clock() + settings.heartbeat_seconds
        self._sent = 0
        self._sending = False
        self._subscribers = metrics.gauge("heliograph_subscribers")
        self._published = metrics.counter("heliograph_publications_sent_total")

    async def run(self) -> None:
        """Serve until either side ends it."""
        self._hub.join(self._mailbox, self._discovered)
        with self._subscribers.track_inprogress():
            try:
                code = await self._serve()
            finally:
                self._hub.leave(self._mailbox)
        if code is not None:
            await self._close(code)

    async def _close(self, code: CloseCode) -> None:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # gone already, which is as good
            async with asyncio.timeout(_CLOSED_WITHIN_SECONDS):
                await self._socket.close(code)

    async def _serve(self) -> CloseCode | None:
        code: CloseCode | None = None
        try:
            code = await _first_of(self._read(), self._send(), self._watch())
        except* WebSocketDisconnect:
            pass  # the subscriber has gone: nothing is left to do
        except* HeliographError as group:
            logger.warning("stream.failed", errors=[str(error) for error in group.exceptions])
            code = CloseCode.FAILED
        return code

    # The reader.

    async def _read(self) -> CloseCode | None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            await self._answer(message.get("text"))
            await self._mailbox.replies.join()

    async def _answer(self, text: str | None) -> None:
        try:
            reply = await self._reply(text)
        except RefusedRequestError as error:
            reply = frames.error(frames.id_of(text or ""), Code(error.code), str(error))
        except StoreError as error:
            reply = frames.error(frames.id_of(text or ""), Code.TEMPORARY, f"{error}; ask again")
        self._mailbox.reply(frames.encode(reply))

    async def _reply(self, text: str | None) -> frames.Outgoing:
        if text is None:
            raise RefusedRequestError(
                Code.NOT_JSON, "a binary frame: this subprotocol is JSON in text frames"
            )
        frame = frames.decode(text)
        if isinstance(frame, frames.Subscribe):
            return await self._subscribe(frame)
        return self._unsubscribe(frame)

    async def _subscribe(self, frame: frames.Subscribe) -> frames.Subscribed:
        catalogue = self._hub.catalogue
        await self._hub.refresh()
        epoch = await self._hub.epoch()
        wanted = self._subscriptions.check(frame.channels, catalogue.streams)
        logged = [stream for each in wanted if each.channel.family.logged for stream in each.streams]
        bounds = await self._hub.follow(self._mailbox, logged)
        # From here to the answer nothing waits: no publication can come in between.
        same_log = frame.epoch in (None, epoch)
        results = [self._begin(each, bounds, same_log=same_log) for each in wanted]
        for each in wanted:
            self._grow(each, catalogue.streams(each.channel))
        return frames.Subscribed(frame.id, epoch, results)

    def _unsubscribe(self, frame: frames.Unsubscribe) -> frames.Unsubscribed:
        left = self._subscriptions.remove(frame.channels, self._hub.catalogue.channel)
        self._hub.unfollow(self._mailbox, left)
        for stream in left:
            self._mailbox.close_slot(stream)
        return frames.Unsubscribed(frame.id, frame.channels)

    def _begin(self, wanted: Wanted, bounds: Mapping[Stream, Bounds], *, same_log: bool) -> frames.Result:
        self._subscriptions.add(wanted)
        if not wanted.channel.family.logged:
            for stream in wanted.streams:
                self._open_slot(stream, wanted)
            return frames.Result(wanted.ask.channel)
        channels = {self._hub.catalogue.channel(stream): stream for stream in wanted.streams}
        heads = {channel: self._hub.head(stream) for channel, stream in channels.items()}
        starts = {
            channel: self._stand(stream, channel, wanted, bounds[stream], same_log=same_log)
            for channel, stream in channels.items()
        }
        return result(wanted, starts, heads)

    def _stand(
        self, stream: Stream, channel: Channel, wanted: Wanted, bounds: Bounds, *, same_log: bool
    ) -> Start:
        head = self._hub.head(stream)
        after = wanted.after(str(channel))
        begun = start(after, head, bounds, same_log=same_log)
        if stream not in self._subscriptions.positions:
            resuming = after is not None and begun.recovered
            self._subscriptions.begin(stream, channel, begun.offset, resuming=resuming)
            if after is not None:
                self._mailbox.moved(stream)
        return begun

    def _open_slot(self, stream: Stream, wanted: Wanted) -> None:
        if stream not in self._subscriptions.slots:
            self._subscriptions.slots.add(stream)
            self._mailbox.open_slot(stream, wanted.rest_seconds)
            self._hub.follow_latest(self._mailbox, stream)

    def _discovered(self, listed: list[Listed]) -> None:
        for wanted in self._subscriptions.wild():
            streams = [Stream(each.instrument_id, wanted.channel.family) for each in listed]
            channel_of = self._hub.catalogue.channel
            self._grow(wanted, [s for s in streams if wanted.channel.matches(channel_of(s))])

    def _grow(self, wanted: Wanted, streams: list[Stream]) -> None:
        """Follow streams of instruments that were listed after the subscription, from their beginning."""
        for stream in streams:
            if not wanted.channel.family.logged:
                self._open_slot(stream, wanted)
            elif stream not in self._subscriptions.positions:
                self._subscriptions.begin(stream, self._hub.catalogue.channel(stream), 0, resuming=False)
                self._hub.open(self._mailbox, stream, 0)
                self._mailbox.moved(stream)

    # The sender.

    async def _send(self) -> CloseCode | None:
        while not self._hub.closing:
            await self._until_due()
            await self._send_small()
            for stream in self._mailbox.take_moved():
                await self._send_small()
                await self._send_moved(stream)
        return CloseCode.RESTARTING

    async def _until_due(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(self._next_heartbeat, self._mailbox.rests_until())):
                await self._mailbox.arrived.wait()
        self._mailbox.arrived.clear()

    async def _send_small(self) -> None:
        await self._send_replies()
        for latest, conflated in self._mailbox.take_due():
            channel = self._hub.latest_channel(latest)
            await self._put(frames.latest_text(channel, latest, conflated))
        if self._clock() >= self._next_heartbeat:
            self._next_heartbeat = self._clock() + self._settings.heartbeat_seconds
            await self._put(frames.encode(frames.Heartbeat(to_iso(now()), self._subscriptions.moved())))
        await self._send_replies()

    async def _send_replies(self) -> None:
        replies = self._mailbox.replies
        while not replies.empty():
            await self._put(replies.get_nowait())
            replies.task_done()

    async def _send_moved(self, stream: Stream) -> None:
        position = self._subscriptions.positions.get(stream)
        if position is None:
            return
        if position.offset < self._hub.head(stream):
            await self._send_page(stream, position)
        if self._subscriptions.positions.get(stream) is position:
            await self._settle(stream, position)

    async def _send_page(self, stream: Stream, position: Position) -> None:
        try:
            page = await self._hub.page(stream, position.offset)
        except StoreError as error:
            logger.warning("stream.waits", channel=position.channel, error=str(error))
            await asyncio.sleep(_TRY_AGAIN_AFTER_SECONDS)
            return
        for offset, frame in page:
            await self._put(frame)
            position.offset = offset
        self._published.labels(stream.family).inc(len(page))

    async def _settle(self, stream: Stream, position: Position) -> None:
        head = self._hub.head(stream)
        if position.caught_up(head):
            await self._put(frames.encode(frames.CaughtUp(position.channel, position.offset)))
        elif position.offset < head:
            self._mailbox.moved(stream)

    async def _put(self, frame: str) -> None:
        self._sending = True
        await self._socket.send_text(frame)
        self._sending = False
        self._sent += 1
        if self._sent % _FRAMES_A_TURN == 0:
            await asyncio.sleep(0)  # an open socket takes frames without waiting, and others want their turn

    # The watch.

    async def _watch(self) -> CloseCode | None:
        sent = -1
        while not (self._sending and sent == self._sent):
            sent = self._sent
            await asyncio.sleep(self._settings.stalled_seconds)
        return CloseCode.STALLED


async def _first_of(*works: Coroutine[Any, Any, CloseCode | None]) -> CloseCode | None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
    return done.pop().result()
