"""What one subscriber follows and where it stands: decisions without any I/O."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from api import moments
from api.frames import Ask, Code, Policy, Result
from db.publications import Bounds, Stream
from market.channels import Channel, Family, parse
from market.errors import InvalidInputError, RefusedRequestError, UnknownInstrumentError

Resolve = Callable[[Channel], list[Stream]]


class Start(NamedTuple):
    """From where a subscriber is sent a stream. ``missing``: offsets, first and last, that it is not sent."""

    offset: int
    recovered: bool
    missing: tuple[int, int] | None = None


def start(after: int | None, head: int, bounds: Bounds, *, same_log: bool = True) -> Start:
    """Return where a subscriber starts who has everything up to ``after``; None: who begins now.

    Never partial: when the log does not hold all that came later, nothing of it is replayed. Offsets
    of another log, and those that this one has not given yet, say nothing: then all of it is missing.
    """
    if after is None:
        return Start(head, recovered=True)
    if not same_log or after > max(head, bounds.last):
        return Start(head, recovered=False, missing=(1, head) if head else None)
    if after + 1 < bounds.first:
        return Start(head, recovered=False, missing=(after + 1, head))
    return Start(after, recovered=True)


class Position:
    """Where a subscriber stands in one stream: ``offset`` is the last that was handed to its socket."""

    __slots__ = ("announced", "channel", "offset", "resuming")

    def __init__(self, channel: str, offset: int, *, resuming: bool) -> None:
        """Begin after ``offset``; one that is ``resuming`` is told once when it has caught up."""
        self.channel = channel
        self.offset = offset
        self.announced = offset
        self.resuming = resuming

    def caught_up(self, head: int) -> bool:
        """Tell, once, that a resuming subscriber has met the head."""
        if not self.resuming or self.offset < head:
            return False
        self.resuming = False
        return True


_Key = tuple[str, Family]


class Wanted(msgspec.Struct, frozen=True):
    """One channel of a request that can be served, and the streams that it names now."""

    channel: Channel
    ask: Ask
    streams: list[Stream]
    since: int | None = None

    @property
    def key(self) -> _Key:
        """Return what it is followed as: ``bars`` may be followed by both policies."""
        return self.ask.channel, self.channel.family

    @property
    def resumes(self) -> bool:
        """Tell whether the subscriber has been here before."""
        return self.ask.after is not None or self.since is not None

    def resumed(self, found: Mapping[Stream, int], name_of: Callable[[Stream], Channel]) -> "Wanted":
        """Return the same, asked for by the offsets that were found for its moment."""
        if self.since is None:
            return self
        after = {str(name_of(stream)): found.get(stream, 0) for stream in self.streams}
        return msgspec.structs.replace(self, ask=msgspec.structs.replace(self.ask, after=after))

    @property
    def rest_seconds(self) -> float:
        """Return how far apart latest values are sent at least."""
        return (self.ask.max_rate_ms or 0) / 1000

    def after(self, name: str) -> int | None:
        """Return what the subscriber has of the stream of this name; None when it does not resume.

        A map names all streams that there were: one that is not in it was listed since.
        """
        after = self.ask.after
        return after.get(name, 0) if isinstance(after, dict) else after


class Subscriptions:
    """The channels of one connection. A stream named by several of them is sent once."""

    def __init__(self) -> None:
        """Begin with none."""
        self.positions: dict[Stream, Position] = {}
        self.slots: set[Stream] = set()
        self._wanted: dict[_Key, Wanted] = {}

    def check(self, asks: Iterable[Ask], resolve: Resolve) -> list[Wanted]:
        """Return what was asked, if all of it can be served; raises RefusedRequestError."""
        followed = {*self.positions, *self.slots}
        names = set(self._wanted)
        checked = []
        for ask in asks:
            wanted = _wanted(ask, resolve)
            if wanted.key in names or (wanted.resumes and not followed.isdisjoint(wanted.streams)):
                message = f"{ask.channel} is followed already: unsubscribe before you resume it elsewhere"
                raise RefusedRequestError(Code.ALREADY_FOLLOWED, message)
            names.add(wanted.key)
            followed.update(wanted.streams)
            checked.append(wanted)
        return checked

    def add(self, wanted: Wanted) -> None:
        """Remember a channel, for instruments that are listed later and for its end."""
        self._wanted[wanted.key] = wanted

    def begin(self, stream: Stream, channel: Channel, offset: int, *, resuming: bool) -> Position:
        """Stand at ``offset`` of a stream of the log."""
        position = self.positions[stream] = Position(str(channel), offset, resuming=resuming)
        return position

    def wild(self) -> Iterator[Wanted]:
        """Iterate over the channels that may grow."""
        return (wanted for wanted in self._wanted.values() if wanted.channel.wild)

    def remove(self, names: Iterable[str], name_of: Callable[[Stream], Channel]) -> list[Stream]:
        """Forget channels; return the streams that none of the others names. Raises RefusedRequestError."""
        names = list(names)
        known = {name for name, _ in self._wanted}
        unknown = [name for name in names if name not in known]
        if unknown:
            message = f"{unknown[0]} is not followed here: name channels as in subscribe"
            raise RefusedRequestError(Code.NOT_SUBSCRIBED, message)
        for key in [key for key in self._wanted if key[0] in names]:
            del self._wanted[key]
        left = [stream for stream in (*self.positions, *self.slots) if not self._named(name_of(stream))]
        for stream in left:
            self.positions.pop(stream, None)
            self.slots.discard(stream)
        return left

    def moved(self) -> dict[str, int]:
        """Return the offsets that moved since this was asked last."""
        offsets = {}
        for position in self.positions.values():
            if position.offset != position.announced:
                offsets[position.channel] = position.announced = position.offset
        return offsets

    def _named(self, channel: Channel) -> bool:
        return any(wanted.channel.matches(channel) for wanted in self._wanted.values())


def result(wanted: Wanted, starts: Mapping[Channel, Start], heads: Mapping[Channel, int]) -> Result:
    """Return what a subscriber is told of one channel of the log."""
    recovered = all(start.recovered for start in starts.values())
    missing = {str(channel): start.missing for channel, start in starts.items() if start.missing}
    offsets = {str(channel): head for channel, head in heads.items()}
    return Result(
        channel=wanted.ask.channel,
        offset=None if wanted.channel.wild else offsets[str(wanted.channel)],
        offsets=offsets if wanted.channel.wild else None,
        recovered=recovered and not _lost(wanted, offsets),
        missing=missing or None,
    )


def _lost(wanted: Wanted, offsets: Mapping[str, int]) -> bool:
    """Tell whether the subscriber has offsets of a stream that this log has never known."""
    after = wanted.ask.after
    return isinstance(after, dict) and any(offset and name not in offsets for name, offset in after.items())


def _wanted(ask: Ask, resolve: Resolve) -> Wanted:
    channel = _channel(ask.channel)
    if channel.family is Family.BARS and ask.policy is Policy.LATEST:
        channel = channel._replace(family=Family.RUNNING)
    _check_policy(ask, channel)
    _check_resume(ask, channel)
    since = _since(ask)
    try:
        return Wanted(channel, ask, resolve(channel), since)
    except UnknownInstrumentError as error:
        message = f"{error}; a wildcard includes what is listed later"
        raise RefusedRequestError(Code.UNKNOWN_INSTRUMENT, message) from error


def _channel(name: str) -> Channel:
    try:
        return parse(name)
    except InvalidInputError as error:
        raise RefusedRequestError(Code.BAD_CHANNEL, str(error)) from error


def _check_policy(ask: Ask, channel: Channel) -> None:
    policy = Policy.LOSSLESS if channel.family.logged else Policy.LATEST
    if ask.policy not in (None, policy):
        message = f"{ask.channel}: {channel.family} are {policy}, not {ask.policy}"
        raise RefusedRequestError(Code.BAD_POLICY, message)
    if channel.family.logged and ask.max_rate_ms:
        message = f"{ask.channel}: max_rate_ms would leave out {channel.family}; leave it out"
        raise RefusedRequestError(Code.BAD_POLICY, message)


def _since(ask: Ask) -> int | None:
    try:
        return None if ask.since is None else moments.parse(ask.since)
    except InvalidInputError as error:
        raise RefusedRequestError(Code.BAD_SINCE, f"{ask.channel}: {error}") from error


def _check_resume(ask: Ask, channel: Channel) -> None:
    if ask.after is None and ask.since is None:
        return
    if not channel.family.logged:
        message = f"{ask.channel}: {channel.family} have no offsets to resume from; leave after and since out"
        raise RefusedRequestError(Code.BAD_RESUME, message)
    if ask.after is None:
        return
    if ask.since is not None:
        message = f"{ask.channel}: after and since are two places to resume from; leave one out"
        raise RefusedRequestError(Code.BAD_RESUME, message)
    if isinstance(ask.after, int):
        if channel.wild:
            message = f"{ask.channel} is resumed with a map of offsets: {{channel: offset}}"
            raise RefusedRequestError(Code.BAD_RESUME, message)
        return
    strangers = [name for name in ask.after if not channel.matches(_channel(name))]
    if strangers:
        message = f"{strangers[0]} is none of {ask.channel}: name only its streams in after"
        raise RefusedRequestError(Code.BAD_RESUME, message)
