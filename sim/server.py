"""A venue on a loopback port: WebSocket in the exchange's own protocol, REST, and what it has offered."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from market.times import SECOND
from runtime.clock import Clock, now
from sim import rest
from sim.audience import Audience, Listener
from sim.broadcast import Broadcast
from sim.desk import Desk, Files
from sim.faults.injector import Injector
from sim.faults.orders import Order
from sim.ledger import Ledger
from sim.messages import understood
from sim.pacing import Pace
from sim.protocols.protocol import Topic, Topics, VenueProtocol
from sim.tapes import Tape
from sim.wire.connections import Connection
from sim.wire.door import Door, House
from sim.wire.frames import text_frame
from sim.wire.http import Request

HOST = "127.0.0.1"
MOST_WAITING = 8 * 2**20

_FRAMES_A_TURN = 64
"""Frames sent in a row at most before others get their turn; about two milliseconds."""

_HEARTBEAT_SECONDS = 1.0
_BEATS_A_PING = 20
_TICK_SECONDS = 0.02


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How a venue treats those who connect, and what goes wrong at it."""

    connections: int = 1
    """Subscribers to wait for before playing."""
    settle_seconds: float = 1.0
    """How long they may take to ask for more."""
    most_waiting: int | None = MOST_WAITING
    """Bytes that may wait for a reader of a live market before it is cut off; None: it is waited for."""
    seed: int = 7
    """What chance in faults follows from."""
    faults: tuple[Order, ...] = ()


_USUAL = Manners()


class SimulatedVenue:
    """Play a tape to whoever subscribes.

    A recording waits for slow readers, and loses nothing; a live market goes on, and cuts them off.
    """

    def __init__(
        self,
        venue: VenueProtocol,
        tape: Tape,
        pace: Pace,
        manners: Manners = _USUAL,
        clock: Clock = now,
    ) -> None:
        """Take what to play, when, and to whom; ``clock`` tells microseconds."""
        self._venue = venue
        self._tape = tape
        self._pace = pace
        self._manners = manners
        self._clock = clock
        self._audience = Audience(tape.contents.topics, manners.settle_seconds)
        self._faults = Injector(manners.seed, manners.faults, self._connected)
        ledger = Ledger(tape.contents.venue_symbols, pasts=tape.contents.pasts)
        self._broadcast = Broadcast(self._audience, ledger, self._faults, clock)
        desk = (
            venue,
            rest.named(venue.name),
            tape,
            ledger,
            self._faults,
            self._broadcast,
            self.status,
            self.end,
            clock,
        )
        self._door = Door(House(Desk(Files(*desk)).answer, self._welcome))
        self.finished = asyncio.Event()
        self._player: asyncio.Task[None] | None = None
        self._cut = False
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
            "cut": self._cut,
            "offered": self._broadcast.tally.total._asdict(),
            "frames": self._broadcast.frames,
            "unreadable": self._broadcast.unreadable,
            "connections": len(self._audience.all),
            "cut_off": self._broadcast.cut_off,
        }

    async def end(self) -> None:
        """End the tape where it is; the venue stays open, for what is still asked of it. Idempotent."""
        if not self.finished.is_set() and self._player is not None:
            self._player.cancel()
            await asyncio.wait([self._player])
            self._cut = True
            self.finished.set()

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[None]:
        """Listen on the loopback ``port`` (0 takes a free one) and play while the block runs."""
        async with self._door.open(HOST, port) as self.port:
            try:
                async with self._playing():
                    yield
            finally:
                await self._audience.dismiss()

    @asynccontextmanager
    async def _playing(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            self._player = tasks.create_task(self._play())
            running = [self._player, tasks.create_task(self._beat()), tasks.create_task(self._tick())]
            try:
                yield
            finally:
                for task in running:
                    task.cancel()

    def _connected(self) -> Iterable[Connection]:
        return [listener.connection for listener in self._audience.all]

    async def _welcome(self, connection: Connection, request: Request) -> None:
        """Talk with one connection until it closes."""
        most_waiting = None if self._tape.waits else self._manners.most_waiting
        listener = Listener(connection, {}, most_waiting)
        self._faults.meets(connection)
        for greeting in self._venue.greetings(request.target):
            connection.say(greeting)
        with self._audience.joined(listener):
            await self._subscribe(listener, self._venue.topics_of(request.target) or {})
            async for text in connection.messages():
                await self._answer(listener, text)

    async def _answer(self, listener: Listener, text: str) -> None:
        """Acknowledge first, so that nothing comes before it, then let the frames in."""
        reply = self._venue.answer(text, listener.topics, self._tape.contents.topics, self._clock())
        for message in reply.messages:
            listener.connection.say(message)
        await self._subscribe(listener, reply.topics, reply.unopened)

    async def _subscribe(
        self, listener: Listener, topics: Topics, unopened: frozenset[Topic] = frozenset()
    ) -> None:
        """Let the frames in of what is new, each topic behind its opening."""
        fresh = [topic for topic in topics if topic not in listener.topics and topic not in unopened]
        self._audience.subscribe(listener, topics)
        for topic in fresh:
            for message in self._tape.opening(topic):
                await self._broadcast.send_to(listener, message, text_frame(message.text))

    async def _play(self) -> None:
        """Send the tape, one frame after the other."""
        await self._audience.settled(self._manners.connections)
        began: int | None = None
        for number, frame in enumerate(self._tape.frames()):
            if self._tape.waits and not self._audience.subscribed:
                await self._audience.settled(1)
                self._pace.restart()
            waited = await self._pace.wait(frame.recorded_at)
            if not waited and number % _FRAMES_A_TURN == 0:
                await asyncio.sleep(0)
            began = frame.recorded_at if began is None else began
            place = (frame.recorded_at - began) / SECOND
            await self._broadcast.play(understood(self._venue, frame), place)
        self.finished.set()

    async def _beat(self) -> None:
        """Send the venue's own heartbeats, and now and then a ping."""
        beats = 0
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            beats += 1
            for listener in self._audience.all:
                for text in self._venue.heartbeats(listener.topics, self._clock()):
                    listener.connection.say(text)
                if beats % _BEATS_A_PING == 0:
                    listener.connection.ping()

    async def _tick(self) -> None:
        """Let faults begin and end while nothing is played."""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            await self._broadcast.tick()
