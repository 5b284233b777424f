"""Faults of what is said: frames that cannot be read, or that are wrong."""

import re
from collections.abc import Iterable
from typing import ClassVar

from sim.faults.fault import Circumstances, Fault
from sim.faults.striking import Count, First
from sim.messages import Message

_NUMBERS = re.compile(rb'("(?:checksum|c|U|u|pu)":"?)(\d+)')
"""The checksum of either version of Kraken, and the numbers of Binance's updates."""

_OFF_BY = 1000


class _Text(Fault):
    """Changes the text of some frames, one where no count and no duration is given."""

    takes = Count
    lasts_seconds = float("inf")
    feed: ClassVar[str] = ""

    def __init__(self, parameters: Count, circumstances: Circumstances) -> None:
        self._first = First(parameters, 1, circumstances)

    @property
    def done(self) -> bool:
        return self._first.done

    def passed(self, message: Message, now: int) -> Iterable[Message]:  # noqa: ARG002
        if not self._can_change(message) or not self._first.strikes(message):
            return (message,)
        self.touched += 1
        return (self._changed(message),)

    def _can_change(self, message: Message) -> bool:
        return message.readable

    def _changed(self, message: Message) -> Message:
        raise NotImplementedError


class Malformed(_Text):
    """A frame is no JSON: a colon is missing."""

    kind = "malformed"
    expected = "The frame is kept as a dead letter; a trade in it leaves a gap, which heals."

    def _changed(self, message: Message) -> Message:
        return message.garbled(message.text.replace(b":", b"", 1))


class Truncated(_Text):
    """A frame ends in the middle of its text."""

    kind = "truncated"
    expected = "The frame is kept as a dead letter; a trade in it leaves a gap, which heals."

    def _changed(self, message: Message) -> Message:
        return message.garbled(message.text[: len(message.text) // 2])


class Checksum(_Text):
    """A book update bears a wrong checksum (Kraken) or wrong numbers (Binance); Coinbase has neither."""

    kind = "checksum"
    expected = "The book is invalid, and fetched again; no depth is stored from it until then."

    def _can_change(self, message: Message) -> bool:
        return message.offered.depths > 0 and _NUMBERS.search(message.text) is not None

    def _changed(self, message: Message) -> Message:
        return Message(
            message.recorded_at,
            _NUMBERS.sub(_wrong, message.text),
            message.source,
            message.topic,
            message.offered,
        )


def _wrong(found: re.Match[bytes]) -> bytes:
    return found[1] + str(int(found[2]) + _OFF_BY).encode()
