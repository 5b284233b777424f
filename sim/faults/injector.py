"""Begins faults when they are due, asks them while they last, and ends them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from random import Random

import msgspec

from market.times import SECOND
from sim.faults import KINDS
from sim.faults.fault import Circumstances, Fault
from sim.faults.orders import Order
from sim.messages import Message
from sim.wire.connections import Connection

_STANDS_SECONDS = 1.0
"""A tape that plays nothing for so long stands still."""


class State(StrEnum):
    """How far a fault is."""

    WAITING = "waiting"
    ACTIVE = "active"
    OVER = "over"


class Injection(msgspec.Struct, eq=False):
    """One fault that was ordered; it began at microseconds of the clock, and seconds of the tape."""

    number: int
    order: Order
    fault: Fault
    state: State = State.WAITING
    begun_at: int = 0
    place: float = 0.0

    @property
    def lasts(self) -> float:
        """Return how many seconds it lasts."""
        return self.fault.lasts_seconds if self.order.seconds is None else self.order.seconds

    def told(self) -> dict[str, object]:
        """Return it as a request for the list is answered."""
        return {
            "number": self.number,
            **msgspec.to_builtins(self.order),
            "state": self.state,
            "begun_at": self.begun_at or None,
            "touched": self.fault.touched,
        }


class Injector:
    """All faults of one venue.

    They begin and end by the time of the tape, so that the same seed breaks the same frames at any speed;
    while a tape stands still, they end by the clock.
    """

    def __init__(
        self, seed: int, script: Iterable[Order], connections: Callable[[], Iterable[Connection]]
    ) -> None:
        """Take what is to come, and who is connected."""
        self._seed = seed
        self._connections = connections
        self._place = 0.0
        self._moved_at = 0
        self.all: list[Injection] = []
        self._unfinished: list[Injection] = []
        self.active: Sequence[Fault] = ()
        for order in script:
            self._add(order)

    def command(self, order: Order, now: int) -> Injection:
        """Take an order; one for now begins at once."""
        injection = self._add(order)
        self._begin_what_is_due(now)
        return injection

    def advance(self, place: float | None, now: int) -> list[Message]:
        """Begin and end what is due at a place of the tape; return what is to be sent because of it.

        None: nothing was played.
        """
        if place is not None:
            self._place, self._moved_at = place, now
        if not self._unfinished:
            return []
        self._begin_what_is_due(now)
        return [*self._end_what_is_over(now), *self._released(now)]

    def end(self, numbers: Iterable[int]) -> list[Message]:
        """End faults; return what they held back."""
        wanted = set(numbers)
        return [message for each in self.all if each.number in wanted for message in self._end(each)]

    def passed(self, message: Message, now: int) -> Sequence[Message]:
        """Return what is sent in place of a message."""
        messages: Sequence[Message] = (message,)
        for fault in self.active:
            messages = [out for each in messages for out in fault.passed(each, now)]
        return messages

    def forgets(self, symbol: str) -> bool:
        """Tell whether history shall lack a trade that is executed now."""
        return any(fault.forgets(symbol) for fault in self.active)

    def meets(self, connection: Connection) -> None:
        """Strike a connection that was opened."""
        for fault in self.active:
            fault.meets(connection)

    @property
    def refuses(self) -> bool:
        """Tell whether new sockets are refused."""
        return any(fault.refuses for fault in self.active)

    def limits(self) -> bool:
        """Tell whether a request to history is one too many."""
        return any(fault.limits() for fault in self.active)

    def holds_seconds(self) -> float:
        """Return how long a request to history waits."""
        return sum(fault.holds_seconds() for fault in self.active)

    def _add(self, order: Order) -> Injection:
        number = len(self.all) + 1
        random = Random(f"{self._seed}:{number}:{order.kind}")  # noqa: S311 - chance is seeded, and no secret
        fault = KINDS[order.kind](order.understood(), Circumstances(random, order.seconds))
        injection = Injection(number, order, fault)
        self.all.append(injection)
        self._unfinished.append(injection)
        return injection

    def _begin_what_is_due(self, now: int) -> None:
        for each in self._unfinished:
            if each.state is State.WAITING and (each.order.at_seconds or 0.0) <= self._place:
                self._begin(each, now)

    def _begin(self, each: Injection, now: int) -> None:
        each.state, each.begun_at, each.place = State.ACTIVE, now, self._place
        self._renew()
        for connection in self._connections():
            each.fault.meets(connection)

    def _end_what_is_over(self, now: int) -> Iterator[Message]:
        for each in self._unfinished:
            stood = (now - max(self._moved_at, each.begun_at)) / SECOND
            passed = self._place - each.place + (stood if stood >= _STANDS_SECONDS else 0.0)
            if each.state is State.ACTIVE and (each.fault.done or passed >= each.lasts):
                yield from self._end(each)

    def _end(self, each: Injection) -> Iterable[Message]:
        was, each.state = each.state, State.OVER
        self._unfinished = [one for one in self._unfinished if one is not each]
        self._renew()
        return each.fault.left() if was is State.ACTIVE else ()

    def _released(self, now: int) -> Iterator[Message]:
        for fault in self.active:
            yield from fault.released(now)

    def _renew(self) -> None:
        self.active = [each.fault for each in self.all if each.state is State.ACTIVE]
