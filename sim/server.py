"""A venue on a loopback port: WebSocket in the exchange's own protocol, REST, and what it has offered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from runtime.clock import Clock, now
from sim import rest
from sim.audience import Audience, Listener
from sim.ledger import Ledger
from sim.offered import Tally, count
from sim.pacing import Pace
from sim.protocols.protocol import Json, SnapshotRequest, Topic, VenueProtocol
from sim.recordings import Frame
from sim.rest.rest import Address, Answer, address_of, json_of
from sim.rest.tape import tape_of
from sim.tapes import Tape, parsed

HOST = "127.0.0.1"
STATUS_PATH = "/sim/status"
TAPE_PATH = "/sim/tape"

_FRAMES_A_TURN = 64
"""Frames sent in a row at most before others get their turn; about two milliseconds."""

_HEARTBEAT_SECONDS = 1.0
_PING_SECONDS = 20


class SimulatedVenue:
    """Play a tape to whoever subscribes. Nothing is dropped: a slow reader holds the tape back."""

    def __init__(  # noqa: PLR0913 - each has a default that fits
        self,
        venue: VenueProtocol,
        tape: Tape,
        pace: Pace,
        *,
        connections: int = 1,
        settle_seconds: float = 1.0,
        clock: Clock = now,
    ) -> None:
        """Take what to play and for how many connections to wait; ``clock`` tells microseconds."""
        self._venue = venue
        self._tape = tape
        self._pace = pace
        self._connections = connections
        self._clock = clock
        self._audience = Audience(tape.contents.topics, settle_seconds)
        self._ledger = Ledger(tape.contents.venue_symbols)
        self._rest = rest.named(venue.name)
        self._tally = Tally()
        self._frames = 0
        self._unreadable = 0
        self.finished = asyncio.Event()
        self.port = 0

    @property
    def stream_url(self) -> str:
        """Return the address of the sockets."""
        return f"ws://{HOST}:{self.port}"

    @property
    def rest_url(self) -> str:
        """Return the address of REST and the status."""
        return f"http://{HOST}:{self.port}"

    def status(self) -> dict[str, Any]:
        """Return what is on the tape, and what was sent of it, counted once a connection."""
        contents = self._tape.contents
        symbols = contents.venue_symbols
        return {
            "venue": self._venue.name,
            "protocol": self._venue.version(contents.topics),
            "market": contents.market,
            "symbols": [self._venue.word(symbol, contents.market) for symbol in symbols],
            "venue_symbols": symbols,
            "finished": self.finished.is_set(),
            "offered": self._tally.total._asdict(),
            "frames": self._frames,
            "unreadable": self._unreadable,
            "connections": len(self._audience.all),
        }

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[None]:
        """Listen on the loopback ``port`` (0 takes a free one) and play while the block runs."""
        async with self._listening(port) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            try:
                async with self._playing():
                    yield
            finally:
                await self._audience.dismiss()

    @asynccontextmanager
    async def _playing(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._play()), tasks.create_task(self._beat())]
            try:
                yield
            finally:
                for task in running:
                    task.cancel()

    def _listening(self, port: int) -> AbstractAsyncContextManager[Server]:
        return serve(
            self._attend,
            HOST,
            port,
            process_request=self._respond,
            compression=None,
            ping_interval=_PING_SECONDS,
            ping_timeout=None,  # who is slow is waited for
        )

    async def _attend(self, connection: ServerConnection) -> None:
        """Talk with one connection until it closes."""
        target = _target(connection)
        listener = Listener(connection, self._venue.topics_of(target) or {})
        for greeting in self._venue.greetings(target):
            await listener.send(greeting)
        with self._audience.joined(listener), suppress(ConnectionClosed):
            async for text in connection:
                await self._answer(listener, text)

    async def _answer(self, listener: Listener, request: str | bytes) -> None:
        """Acknowledge first, so that nothing comes before it, then let the frames in."""
        text = request if isinstance(request, str) else request.decode(errors="replace")
        reply = self._venue.answer(text, listener.topics, self._tape.contents.topics, self._clock())
        for message in reply.messages:
            await listener.send(message)
        self._audience.subscribe(listener, reply.topics)

    async def _play(self) -> None:
        """Send the tape, one frame after the other."""
        await self._audience.settled(self._connections)
        for number, frame in enumerate(self._tape.frames()):
            if self._tape.waits and not self._audience.subscribed:
                await self._audience.settled(1)
                self._pace.restart()
            waited = await self._pace.wait(frame.recorded_at)
            if not waited and number % _FRAMES_A_TURN == 0:
                await asyncio.sleep(0)
            await self._deliver(frame)
        self.finished.set()

    async def _deliver(self, frame: Frame) -> None:
        """Send a frame to all who subscribed to its topic, or to everybody when it cannot be read."""
        message = parsed(frame.text)
        topic = self._venue.topic(message)
        self._record(topic, message)
        offered = count(self._venue.name, message)
        for listener in self._audience.subscribed:
            if (message is None or topic in listener.topics) and await listener.send(frame.text):
                self._tally.add(offered)
                self._frames += 1
                self._unreadable += message is None

    def _record(self, topic: Topic | None, message: Json) -> None:
        """Put trades on the tape; those that cannot be read are none, and are played as they are."""
        with suppress(ValueError):
            if topic is not None and (fills := self._venue.fills(message)):
                self._ledger.record(topic.symbol, fills)

    async def _beat(self) -> None:
        """Send the venue's own heartbeats."""
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            for listener in self._audience.all:
                for text in self._venue.heartbeats(listener.topics, self._clock()):
                    await listener.send(text)

    def _respond(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer what is not a socket; None lets the handshake go on."""
        if request.path == STATUS_PATH:
            return _json(connection, Answer(json_of(self.status())))
        if answer := self._answer_trades(address_of(request.path)):
            return _json(connection, answer)
        book = self._venue.snapshot_request(request.path)
        if book is not None:
            return _json(connection, self._answer_book(book))
        if self._venue.topics_of(request.path) is None:
            return connection.respond(HTTPStatus.NOT_FOUND, f"{request.path} is not served here\n")
        return None

    def _answer_trades(self, address: Address) -> Answer | None:
        if address.path == TAPE_PATH:
            return tape_of(address, self._ledger)
        return self._rest.answer(address, self._ledger, self._clock()) if self._rest else None

    def _answer_book(self, request: SnapshotRequest) -> Answer:
        book = parsed(self._tape.snapshot(request.symbol) or b"")
        if book is None:
            return Answer(b'{"code":-1121,"msg":"Invalid symbol."}', HTTPStatus.BAD_REQUEST)
        sides = {side: book[side][: request.limit] for side in ("bids", "asks")}
        return Answer(json_of({**book, **sides}))


def _target(connection: ServerConnection) -> str:
    return connection.request.path if connection.request else "/"


def _json(connection: ServerConnection, answer: Answer) -> Response:
    response = connection.respond(answer.status, answer.body.decode())
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    for name, value in answer.headers.items():
        response.headers[name] = value
    return response
