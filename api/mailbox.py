"""What one connection has to send next.

Bounded by what it follows, whatever its pace: a stream of the log is only marked as moved, and
read from where the subscriber stands; a latest value has one slot, and a newer one takes it.
"""

import asyncio
import heapq
from collections.abc import Callable
from math import inf
from typing import NamedTuple

from db.publications import Stream
from market.publications import Latest


class Due(NamedTuple):
    """A latest value to send now, and how many ticks it stands for."""

    latest: Latest
    conflated: int


class _Slot:
    """The newest unsent value of one stream."""

    def __init__(self, rest_seconds: float) -> None:
        self.rest_seconds = rest_seconds
        self.not_before = -inf
        self.latest: Latest | None = None
        self.conflated = 0


class Mailbox:
    """Filled by the hub without waiting; emptied by the connection's sender."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Use ``clock``, in seconds, to keep the rates asked for."""
        self.arrived = asyncio.Event()
        self.replies: asyncio.Queue[str] = asyncio.Queue(maxsize=2)  # the reader waits until one is sent
        self._clock = clock
        self._moved: dict[Stream, None] = {}
        self._slots: dict[Stream, _Slot] = {}
        self._ready: dict[Stream, None] = {}
        self._resting: list[tuple[float, Stream]] = []

    def reply(self, frame: str) -> None:
        """Answer the subscriber, before anything that came later."""
        self.replies.put_nowait(frame)
        self.arrived.set()

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
        self._slots[stream] = _Slot(rest_seconds)

    def close_slot(self, stream: Stream) -> None:
        """Drop the stream's slot with what is in it."""
        self._slots.pop(stream, None)
        self._ready.pop(stream, None)

    def offer(self, stream: Stream, latest: Latest) -> None:
        """Put a newer value into its slot, in place of an unsent one."""
        slot = self._slots[stream]
        fresh = slot.latest is None
        slot.latest = latest
        slot.conflated += latest.count
        if fresh and slot.not_before <= self._clock():
            self._ready[stream] = None
        elif fresh:
            heapq.heappush(self._resting, (slot.not_before, stream))
        self.arrived.set()

    def take_due(self) -> list[Due]:
        """Return the latest values whose rest is over."""
        now = self._clock()
        self._wake_rested(now)
        due = [self._take(self._slots[stream], now) for stream in self._ready]
        self._ready.clear()
        return due

    def rests_until(self) -> float:
        """Return when the next latest value is due, infinity when none waits."""
        return self._resting[0][0] if self._resting else inf

    def __len__(self) -> int:
        """Return how many things wait to be sent."""
        waiting = sum(slot.latest is not None for slot in self._slots.values())
        return self.replies.qsize() + len(self._moved) + waiting

    def _wake_rested(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            _, stream = heapq.heappop(self._resting)
            slot = self._slots.get(stream)
            if slot is not None and slot.latest is not None and slot.not_before <= now:
                self._ready[stream] = None

    def _take(self, slot: _Slot, now: float) -> Due:
        assert slot.latest is not None  # noqa: S101 - what is ready has a value
        due = Due(slot.latest, slot.conflated)
        slot.latest, slot.conflated, slot.not_before = None, 0, now + slot.rest_seconds
        return due
