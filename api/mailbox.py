"""What one connection has to send next.

Bounded by what it follows, whatever its pace: a stream of the log is only marked as moved, and
read from where the subscriber stands; a latest value has one slot, and a newer one takes it. Gaps have
a slot each, for as long as a change of theirs is unsent.
"""

import asyncio
import heapq
from collections.abc import Callable
from math import inf
from typing import NamedTuple, Protocol

from api.formats import Frame
from api.frames import CloseCode, Outgoing
from db.publications import Stream
from market.channels import Family
from market.publications import Latest


class Due(NamedTuple):
    """A latest value to send now, and how many ticks it stands for."""

    latest: Latest
    conflated: int


_Slot = tuple[int, Family, int]


class _Unsent:
    """The newest unsent values of one stream, by slot: one of a quote or a trade, one of each gap."""

    def __init__(self, rest_seconds: float) -> None:
        self.rest_seconds = rest_seconds
        self.not_before = -inf
        self.values: dict[_Slot, Due] = {}

    def put(self, latest: Latest) -> None:
        had = self.values.get(latest.slot)
        self.values[latest.slot] = Due(latest, latest.count + (had.conflated if had else 0))

    def take(self, now: float) -> list[Due]:
        due, self.values = list(self.values.values()), {}
        self.not_before = now + self.rest_seconds
        return due


class Shortcut(Protocol):
    """Sends what arrives while nothing else waits, without a detour; each tells whether it did."""

    def publish(self, stream: Stream, offset: int, frame: Frame) -> bool:
        """Send an entry of the log."""

    def show(self, latest: Latest) -> bool:
        """Send a latest value."""


class Mailbox:
    """Filled by the hub without waiting; emptied by the connection's sender."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Use ``clock``, in seconds, to keep the rates asked for."""
        self.arrived = asyncio.Event()
        self.ending: CloseCode | None = None
        self.shortcut: Shortcut | None = None
        self.reply: Outgoing | None = None
        self._replied: asyncio.Future[None] | None = None
        self._clock = clock
        self._moved: dict[Stream, None] = {}
        self._unsent: dict[Stream, _Unsent] = {}
        self._ready: dict[Stream, None] = {}
        self._resting: list[tuple[float, Stream]] = []

    def end(self, code: CloseCode) -> None:
        """Let the sender end the connection as soon as it can."""
        self.ending = self.ending or code
        self.arrived.set()

    async def answer(self, frame: Outgoing) -> None:
        """Answer the subscriber, before anything that came later; return when that was sent."""
        self.reply = frame
        self._replied = asyncio.get_running_loop().create_future()
        self.arrived.set()
        await self._replied

    def answered(self) -> None:
        """Note that the reply was sent."""
        self.reply = None
        if self._replied is not None and not self._replied.done():
            self._replied.set_result(None)

    def publish(self, stream: Stream, offset: int, frame: Frame) -> bool:
        """Send the newest entry of a stream at once, or note it; tell whether it was sent."""
        if self.shortcut is not None and self.shortcut.publish(stream, offset, frame):
            return True
        self.moved(stream)
        return False

    def moved(self, stream: Stream) -> None:
        """Note that a stream of the log has more than the subscriber was sent."""
        self._moved[stream] = None
        self.arrived.set()

    def take_moved(self) -> list[Stream]:
        """Return the streams that moved, first moved first."""
        streams = list(self._moved)
        self._moved.clear()
        return streams

    def open_slot(self, stream: Stream, rest_seconds: float) -> None:
        """Begin to keep latest values, to be sent at least ``rest_seconds`` apart."""
        self._unsent[stream] = _Unsent(rest_seconds)

    def close_slot(self, stream: Stream) -> None:
        """Drop the stream's slot with what is in it."""
        self._unsent.pop(stream, None)
        self._ready.pop(stream, None)

    def offer(self, stream: Stream, latest: Latest) -> None:
        """Send a newer value at once, or put it into its slot, in place of an unsent one."""
        unsent = self._unsent[stream]
        fresh = not unsent.values
        now = self._clock()
        if fresh and unsent.not_before <= now and self.shortcut is not None and self.shortcut.show(latest):
            unsent.not_before = now + unsent.rest_seconds
            return
        unsent.put(latest)
        if fresh and unsent.not_before <= now:
            self._ready[stream] = None
        elif fresh:
            heapq.heappush(self._resting, (unsent.not_before, stream))
        self.arrived.set()

    def take_due(self) -> list[Due]:
        """Return the latest values whose rest is over."""
        now = self._clock()
        self._wake_rested(now)
        due = [each for stream in self._ready for each in self._unsent[stream].take(now)]
        self._ready.clear()
        return due

    def rests_until(self) -> float:
        """Return when the next latest value is due, infinity when none waits."""
        return self._resting[0][0] if self._resting else inf

    def __len__(self) -> int:
        """Return how many things wait to be sent."""
        waiting = sum(len(unsent.values) for unsent in self._unsent.values())
        return (self.reply is not None) + len(self._moved) + waiting

    def _wake_rested(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            _, stream = heapq.heappop(self._resting)
            unsent = self._unsent.get(stream)
            if unsent is not None and unsent.values and unsent.not_before <= now:
                self._ready[stream] = None
