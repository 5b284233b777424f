"""What is played is put on the record, struck by faults, and sent to who subscribed."""

from collections.abc import Iterable

from runtime.clock import Clock
from sim.audience import Audience, Listener
from sim.faults.injector import Injector
from sim.ledger import Ledger
from sim.messages import Message
from sim.offered import Tally
from sim.wire.frames import text_frame


class Broadcast:
    """Sends messages, and counts what was sent once a connection."""

    def __init__(self, audience: Audience, ledger: Ledger, faults: Injector, clock: Clock) -> None:
        """Take who hears, where trades are kept, and what goes wrong."""
        self._audience = audience
        self._ledger = ledger
        self._faults = faults
        self._clock = clock
        self.tally = Tally()
        self.frames = 0
        self.unreadable = 0
        self.cut_off = 0

    async def play(self, message: Message, place: float) -> None:
        """Let a message happen at a place of the tape, and send what the faults leave of it."""
        now = self._clock()
        await self._send_all(self._faults.advance(place, now))
        self._record(message)
        if self._faults.active:
            await self._send_all(self._faults.passed(message, now))
        else:
            await self.send(message)

    async def tick(self) -> None:
        """Begin and end the faults that are due, though nothing is played."""
        await self._send_all(self._faults.advance(None, self._clock()))

    async def end(self, numbers: Iterable[int]) -> None:
        """End faults, and send what they held back."""
        await self._send_all(self._faults.end(numbers))

    async def send(self, message: Message) -> None:
        """Send a message to all who subscribed to its topic; one that belongs to none, to everybody."""
        frame = text_frame(message.text)
        for listener in self._audience.subscribed:
            if message.topic in listener.topics or (message.topic is None and not message.readable):
                await self.send_to(listener, message, frame)

    async def send_to(self, listener: Listener, message: Message, frame: bytes) -> None:
        """Send a message to one listener."""
        if await listener.send(frame):
            self.tally.add(message.offered)
            self.frames += 1
            self.unreadable += not message.readable
        elif listener.was_cut_off:
            listener.was_cut_off = False
            self.cut_off += 1

    async def _send_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            await self.send(message)

    def _record(self, message: Message) -> None:
        if message.topic is not None and message.fills:
            self._ledger.record(message.topic.symbol, message.fills, self._faults.forgets)
