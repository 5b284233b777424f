"""What a stream gives."""

from typing import Any

import msgspec

from heliograph_client.decoding import anything, decoded
from heliograph_client.rows import Bar, Depth, Gap, Quote, Row, Signal, Trade

_KINDS: dict[str, type[Row]] = {
    "signals": Signal,
    "bars": Bar,
    "quotes": Quote,
    "trades": Trade,
    "depth": Depth,
    "coverage": Gap,
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was told: ``op`` is signal, bar, correction, quote, trade, depth, or gap.

    A ``correction`` ``revises`` an earlier offset: ``data`` is what that should have said, None when it
    should not have been. What is in the log has an ``offset``; the newest of its kind says in
    ``conflated`` for how many it stands.
    """

    op: str
    channel: str
    data: Signal | Bar | Quote | Trade | Depth | Gap | Any
    offset: int | None = None
    revises: int | None = None
    conflated: int | None = None


class Result(msgspec.Struct, frozen=True):
    """What became of one channel of a subscribe frame."""

    channel: str
    offset: int | None = None
    offsets: dict[str, int] | None = None
    recovered: bool = True
    missing: dict[str, tuple[int, int]] | None = None


class Frame(msgspec.Struct, frozen=True):
    """A frame of any kind: of its fields those that are looked at."""

    op: str
    id: int | str | None = None
    channel: str = ""
    offset: int | None = None
    revises: int | None = None
    conflated: int | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    epoch: str | None = None
    results: list[Result] = []
    code: int | None = None
    message: str = ""


def event_of(frame: Frame) -> Event:
    """Return what a frame tells; raises ProtocolError."""
    return Event(
        op=frame.op,
        channel=frame.channel,
        data=_data(frame),
        offset=frame.offset,
        revises=frame.revises,
        conflated=frame.conflated,
    )


def _data(frame: Frame) -> Any:  # noqa: ANN401 - as an event has it
    kind = _KINDS.get(frame.channel.partition(":")[0])
    if kind is None or bytes(frame.data) == b"null":
        return anything(frame.data)
    return decoded(frame.data, kind)
