"""One subscriber: a reader, and beside it a sender (api/sending.py)."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from api import frames
from api.formats import Format
from api.frames import CloseCode, Code, Said
from api.hub import Hub
from api.mailbox import Mailbox
from api.pace import Pace
from api.sending import Sender
from api.settings import ApiSettings
from api.subscriptions import Start, Subscriptions, Wanted, result, start
from api.writing import wire_of
from db.instruments import Listed
from db.publications import Bounds, Stream
from market.channels import Channel
from market.errors import HeliographError, RefusedRequestError, StoreError
from runtime.metrics import Metrics

logger = structlog.get_logger(__name__)

_CLOSED_WITHIN_SECONDS: Final = 1.0


class Connection:
    """Lives as long as its socket."""

    def __init__(
        self, socket: WebSocket, format_: Format, hub: Hub, settings: ApiSettings, metrics: Metrics
    ) -> None:
        """Take an accepted socket, whose frames are of this format."""
        self._socket = socket
        self._format = format_
        self._hub = hub
        self._mailbox = Mailbox(asyncio.get_running_loop().time)
        self._subscriptions = Subscriptions()
        self._sender = Sender(
            wire_of(socket),
            format_,
            timed=_wants_times(socket),
            hub=hub,
            mailbox=self._mailbox,
            subscriptions=self._subscriptions,
            settings=settings,
            metrics=metrics,
        )
        self._pace = Pace(
            1 / settings.subscriptions_per_second,
            settings.subscriptions_at_once,
            asyncio.get_running_loop().time,
        )
        self._subscribers = metrics.gauge("heliograph_subscribers")

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
        try:
            return await self._both()
        except WebSocketDisconnect:
            return None  # the subscriber has gone: nothing is left to do
        except HeliographError as error:
            logger.warning("stream.failed", error=str(error))
            return CloseCode.FAILED

    async def _both(self) -> CloseCode | None:
        """Send beside this task, which reads; whichever ends first ends the other."""
        reading = asyncio.timeout(None)

        def stop_reading(_: object) -> None:
            with suppress(RuntimeError):  # the reader has ended in the same moment
                reading.reschedule(asyncio.get_running_loop().time())

        sending = asyncio.create_task(self._sender.run())
        sending.add_done_callback(stop_reading)
        try:
            async with reading:
                await self._read()
        except TimeoutError:
            return sending.result()
        finally:
            sending.remove_done_callback(stop_reading)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return None

    # The reader.

    async def _read(self) -> None:
        while (message := await self._socket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            await self._answer(message["bytes"] if text is None else text)

    async def _answer(self, said: Said) -> None:
        try:
            reply = await self._reply(said)
        except RefusedRequestError as error:
            reply = frames.error(frames.id_of(said), Code(error.code), str(error))
        except StoreError as error:
            reply = frames.error(frames.id_of(said), Code.TEMPORARY, f"{error}; ask again")
        await self._mailbox.answer(reply)

    async def _reply(self, said: Said) -> frames.Outgoing:
        frame = frames.decode(said, self._format)
        if isinstance(frame, frames.Subscribe):
            return await self._subscribe(frame)
        return self._unsubscribe(frame)

    async def _subscribe(self, frame: frames.Subscribe) -> frames.Subscribed:
        await asyncio.sleep(self._pace.take(len(frame.channels)))
        catalogue = self._hub.catalogue
        async with self._hub.turn:
            await self._hub.refresh()
            epoch = await self._hub.epoch()
            wanted = await self._found(self._subscriptions.check(frame.channels, catalogue.streams))
            logged = [stream for each in wanted if each.channel.family.logged for stream in each.streams]
            bounds = await self._hub.follow(self._mailbox, logged)
        # From here to the answer nothing waits: no publication can come in between, nor take the shortcut.
        self._mailbox.arrived.set()
        same_log = frame.epoch in (None, epoch)
        results = [self._begin(each, bounds, same_log=same_log or each.since is not None) for each in wanted]
        for each in wanted:
            self._grow(each, catalogue.streams(each.channel))
        return frames.Subscribed(frame.id, epoch, results)

    async def _found(self, wanted: list[Wanted]) -> list[Wanted]:
        """Look for the moments to resume from, before anything is followed."""
        moments = {s: each.since for each in wanted if each.since is not None for s in each.streams}
        found = await self._hub.since(moments) if moments else {}
        return [each.resumed(found, self._hub.catalogue.channel) for each in wanted]

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


def _wants_times(socket: WebSocket) -> bool:
    """Tell whether every frame is to say when we heard and sent it: ``/v1/stream?times=true``."""
    return socket.query_params.get("times", "").lower() in {"1", "true", "yes"}
