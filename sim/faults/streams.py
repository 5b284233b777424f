"""Faults of what is sent: whole frames are lost, repeated, or late."""

from collections import deque
from collections.abc import Iterable
from math import inf

from market.times import SECOND
from sim.faults.fault import Aim, Circumstances, Fault
from sim.faults.striking import Count, First, Share, Some
from sim.messages import Message


class Drop(Fault):
    """Frames are not sent, here and there."""

    kind = "drop"
    takes = Share
    lasts_seconds = 5.0
    expected = "Missing trade ids are gaps that heal; a book that misses an update is fetched again."

    def __init__(self, parameters: Share, circumstances: Circumstances) -> None:
        """Take the share of frames."""
        self._some = Some(parameters, circumstances.random)

    def passed(self, message: Message, now: int) -> Iterable[Message]:  # noqa: ARG002
        """Leave out those struck."""
        if not self._some.strikes(message):
            return (message,)
        self.touched += 1
        return ()


class Duplicate(Fault):
    """Frames are sent twice, one right after the other."""

    kind = "duplicate"
    takes = Share
    lasts_seconds = 5.0
    expected = "The second is counted as a duplicate; no new row, no gap."

    def __init__(self, parameters: Share, circumstances: Circumstances) -> None:
        """Take the share of frames."""
        self._some = Some(parameters, circumstances.random)

    def passed(self, message: Message, now: int) -> Iterable[Message]:  # noqa: ARG002
        """Repeat those struck."""
        if not self._some.strikes(message):
            return (message,)
        self.touched += 1
        return (message, message)


class Places(Share, frozen=True):
    """Those struck come ``places`` frames later."""

    places: int = 3


class Reorder(Fault):
    """Frames are overtaken by those that follow them."""

    kind = "reorder"
    takes = Places
    lasts_seconds = 5.0
    expected = (
        "Trades are stored by their id and time whatever their order; a gap closes with what comes late."
    )

    def __init__(self, parameters: Places, circumstances: Circumstances) -> None:
        """Take the share of frames, and by how many they are overtaken."""
        self._some = Some(parameters, circumstances.random)
        self._places = parameters.places
        self._held: deque[tuple[int, Message]] = deque()
        self._seen = 0

    def passed(self, message: Message, now: int) -> Iterable[Message]:  # noqa: ARG002
        """Hold those struck back until so many others were sent."""
        self._seen += 1
        if self._some.strikes(message):
            self.touched += 1
            self._held.append((self._seen + self._places, message))
        else:
            yield message
        while self._held and self._held[0][0] <= self._seen:
            yield self._held.popleft()[1]

    def left(self) -> Iterable[Message]:
        """Send what is still held."""
        return [message for _, message in self._held]


class Late(Aim, frozen=True):
    """By so many seconds."""

    by_seconds: float = 1.0


class Delay(Fault):
    """Frames are sent late, in their order; at the end all that are held come at once."""

    kind = "delay"
    takes = Late
    lasts_seconds = 5.0
    expected = "Nothing is lost; the lag shows, and trades keep their own time."

    def __init__(self, parameters: Late, circumstances: Circumstances) -> None:  # noqa: ARG002
        """Take how late, and what."""
        self._aim = parameters
        self._held: deque[tuple[int, Message]] = deque()

    def passed(self, message: Message, now: int) -> Iterable[Message]:
        """Hold what is aimed at."""
        if not self._aim.hits(message):
            return (message,)
        self.touched += 1
        self._held.append((now + round(self._aim.by_seconds * SECOND), message))
        return ()

    def released(self, now: int) -> Iterable[Message]:
        """Send what was held long enough."""
        while self._held and self._held[0][0] <= now:
            yield self._held.popleft()[1]

    def left(self) -> Iterable[Message]:
        """Send what is still held."""
        return [message for _, message in self._held]


class Mute(Fault):
    """What is aimed at falls silent, while everything else lives; history goes on."""

    kind = "mute"
    takes = Aim
    lasts_seconds = inf
    expected = (
        "A stream silent beyond its rhythm is a gap; history has newer trades, so it is subscribed again."
    )

    def __init__(self, parameters: Aim, circumstances: Circumstances) -> None:  # noqa: ARG002
        """Take what falls silent."""
        self._aim = parameters

    def passed(self, message: Message, now: int) -> Iterable[Message]:  # noqa: ARG002
        """Leave out what is aimed at."""
        if not self._aim.hits(message):
            return (message,)
        self.touched += 1
        return ()


class Gap(Fault):
    """A run of trades is never sent, 25 where no count and no duration is given; history has them."""

    kind = "gap"
    takes = Count
    lasts_seconds = inf
    expected = "The first id after the run opens a gap; history heals it, and its bars are computed again."

    def __init__(self, parameters: Count, circumstances: Circumstances) -> None:
        """Take how many trades."""
        self._first = First(parameters, 25, circumstances)

    @property
    def done(self) -> bool:
        """Tell whether the run has ended."""
        return self._first.done

    def passed(self, message: Message, now: int) -> Iterable[Message]:  # noqa: ARG002
        """Leave trades out."""
        if not message.offered.trades or not self._first.strikes(message):
            return (message,)
        self.touched += message.offered.trades
        return ()
