"""What is followed, and where it stands: what to send, and what of that which comes is news. No I/O here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from heliograph_client.decoding import decoded
from heliograph_client.errors import InvalidQuestionError, MissedError, RefusedError
from heliograph_client.events import Event, Frame, Result, event_of
from heliograph_client.moments import Moment, text_of
from heliograph_client.positions import Position

_CHANNELS_A_FRAME = 100
_TEMPORARY = 1009
_TOLD = frozenset({"signal", "bar", "correction", "quote", "trade", "depth", "gap"})
_SILENT = frozenset({"heartbeat"})
_OVER = frozenset({"closed", "unrecoverable"})


class Channel(NamedTuple):
    """One channel: ``name`` is family:exchange:symbol, like ``signals:kraken:*``.

    ``policy`` is ``lossless`` or ``latest``, left out the family's. ``max_rate_ms`` is the least time
    between two values of one stream, by ``latest``. What was published ``since`` a moment comes first,
    where no offset of the channel is known.
    """

    name: str
    policy: str | None = None
    max_rate_ms: int | None = None
    since: Moment | None = None


class DisturbedError(Exception):
    """What came cannot be gone on with: connect again, and resume."""


class Admitted(NamedTuple):
    """A frame that is news; ``event`` is None where it only tells of the connection."""

    text: str
    event: Event | None


class Subscriptions:
    """The channels of one stream, through all of its connections."""

    def __init__(self, channels: Sequence[Channel], position: Position) -> None:
        """Follow channels, those that ``position`` has from there on. Raises InvalidQuestionError."""
        if not channels:
            message = "name a channel, like signals:kraken:SOL/USD; * is any"
            raise InvalidQuestionError(message)
        self.position = position
        self.established = False
        self._resumed_epoch = position.epoch
        self._channels = list(channels)
        self._logged: set[int] = set()
        self._resumed: set[int] = set()
        self._behind: dict[int, set[str]] = {
            number: set()
            for number, channel in enumerate(channels)
            if channel.since is not None and position.after(channel.name) is None
        }
        """Of channels that are followed since a moment: the streams that have not caught up."""
        self._newest: dict[tuple[str, ...], bytes] = {}
        self._before: dict[tuple[str, ...], bytes] = {}

    def requests(self) -> list[str]:
        """Return what to send on a new connection."""
        self._before = dict(self._newest)
        self._resumed_epoch = self.position.epoch
        self._resumed = {
            number
            for number, channel in enumerate(self._channels)
            if self._after(number, channel) is not None
        }
        return [
            msgspec.json.encode(self._request(first)).decode()
            for first in range(0, len(self._channels), _CHANNELS_A_FRAME)
        ]

    def take(self, text: str | bytes) -> Admitted | None:
        """Return what came if it is news.

        Raises RefusedError, MissedError, ProtocolError; DisturbedError where coming again helps.
        """
        frame = decoded(text, Frame)
        if frame.op == "subscribed":
            self._begin(frame)
        elif frame.op == "caught_up":
            self._caught_up(frame)
        elif frame.op == "error":
            _refuse(frame)
        shown = text if isinstance(text, str) else text.decode()
        if frame.op not in _TOLD:
            return None if frame.op in _SILENT else Admitted(shown, None)
        event = event_of(frame)
        return Admitted(shown, event) if self._is_news(frame, event) else None

    def _request(self, first: int) -> dict[str, Any]:
        """Return the frame that asks for the channels from ``first`` on; that is its id."""
        asked = self._channels[first : first + _CHANNELS_A_FRAME]
        asks = [self._ask(number, channel) for number, channel in enumerate(asked, first)]
        request = {"op": "subscribe", "id": first, "channels": asks}
        return request if self._resumed_epoch is None else {**request, "epoch": self._resumed_epoch}

    def _ask(self, number: int, channel: Channel) -> dict[str, Any]:
        ask: Mapping[str, Any] = {
            "channel": channel.name,
            "policy": channel.policy,
            "max_rate_ms": channel.max_rate_ms,
            "after": self._after(number, channel),
            "since": text_of(channel.since) if channel.since and number in self._behind else None,
        }
        return {name: value for name, value in ask.items() if value is not None}

    def _after(self, number: int, channel: Channel) -> int | dict[str, int] | None:
        if number in self._behind or (self.established and number not in self._logged):
            return None
        return None if channel.policy == "latest" else self.position.after(channel.name)

    def _begin(self, frame: Frame) -> None:
        """Note where each channel stands; raises MissedError."""
        first = frame.id if isinstance(frame.id, int) else 0
        other = self._resumed_epoch not in (None, frame.epoch)
        self.position.epoch = frame.epoch
        missing: dict[str, tuple[int, int]] = {}
        refused = False
        for number, result in enumerate(frame.results, first):
            known = number in self._behind and result.missing and self._has(result.missing)
            self._stand(number, result, other_log=other)
            missing |= {} if known else result.missing or {}
            refused = refused or not (known or result.recovered)
        self.established = True
        if refused:
            raise MissedError(missing, other_log=other)

    def _has(self, missing: Mapping[str, tuple[int, int]]) -> bool:
        """Tell whether it was said already that this will not come."""
        return all(last <= self.position.offsets.get(stream, 0) for stream, (_, last) in missing.items())

    def _stand(self, number: int, result: Result, *, other_log: bool) -> None:
        heads = _heads(result)
        if heads is None:
            return
        self._logged.add(number)
        if result.channel not in self.position.channels:
            self.position.channels.append(result.channel)
        if other_log:
            self.position.forget(result.channel)
        if number in self._behind:
            self._replay(number, heads, result.missing or {})
            return
        replayed = number in self._resumed and not other_log
        for stream, head in heads.items():
            # A stream that was listed since we were here last is sent from its beginning.
            ours = self.position.offsets.setdefault(stream, 0 if replayed else head)
            if not result.recovered:
                self.position.offsets[stream] = min(ours, head)
        for stream, (_, last) in (result.missing or {}).items():
            self.position.offsets[stream] = last

    def _replay(self, number: int, heads: Mapping[str, int], missing: Mapping[str, tuple[int, int]]) -> None:
        """Wait for what a channel was sent since a moment; it is asked for again until all of it came."""
        for stream, (_, last) in missing.items():
            self.position.offsets[stream] = max(last, self.position.offsets.get(stream, 0))
        self._behind[number] = {stream for stream, head in heads.items() if head and stream not in missing}
        self._settle(number)

    def _caught_up(self, frame: Frame) -> None:
        self.position.offsets.setdefault(frame.channel, frame.offset or 0)
        for number in list(self._behind):
            self._behind[number].discard(frame.channel)
            self._settle(number)

    def _settle(self, number: int) -> None:
        if not self._behind[number]:
            del self._behind[number]

    def _is_news(self, frame: Frame, event: Event) -> bool:
        if frame.offset is None:
            return self._is_newest(frame, event)
        last = self.position.offsets.get(frame.channel)
        if last is not None and frame.offset <= last:
            return False
        if last is not None and frame.offset > last + 1:
            message = f"{frame.channel} went from offset {last} to {frame.offset}"
            raise DisturbedError(message)
        self.position.offsets[frame.channel] = frame.offset
        return True

    def _is_newest(self, frame: Frame, event: Event) -> bool:
        """Tell whether a value is another than the one that was told before the connection was lost."""
        data = event.data
        which = str(getattr(data, "gap_id", "") or getattr(data, "interval", ""))
        key = (frame.op, frame.channel, which)
        told = bytes(frame.data)
        if getattr(data, "state", "") in _OVER:
            self._newest.pop(key, None)
        else:
            self._newest[key] = told
        return self._before.pop(key, None) != told


def _heads(result: Result) -> dict[str, int] | None:
    """Return the offsets that a subscription begins at; None: there is no log of this channel."""
    if result.offsets is not None:
        return result.offsets
    return None if result.offset is None else {result.channel: result.offset}


def _refuse(frame: Frame) -> None:
    if frame.code == _TEMPORARY:
        raise DisturbedError(frame.message)
    raise RefusedError(frame.message, code=frame.code)


def channels_of(names: Sequence[str | Channel]) -> Iterator[Channel]:
    """Yield channels, of names or of channels."""
    for name in names:
        yield Channel(name) if isinstance(name, str) else name
