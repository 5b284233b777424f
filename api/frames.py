"""The frames of ``/v1/stream``, in and out, and the numbers of its errors.

Publications carry their data as JSON text already, which is put into the frame as it is.
"""

from enum import IntEnum, StrEnum
from typing import Annotated

import msgspec

from api.formats import Format, Frame
from market.channels import Channel, Family
from market.errors import RefusedRequestError
from market.publications import Latest, Publication


class Code(IntEnum):
    """Numbers of the errors in error frames. Those from 1100 are fatal: the connection is closed after."""

    NOT_JSON = 1000
    MALFORMED = 1001
    BAD_CHANNEL = 1002
    UNKNOWN_INSTRUMENT = 1003
    BAD_POLICY = 1004
    ALREADY_FOLLOWED = 1005
    BAD_RESUME = 1006
    BAD_SINCE = 1007
    NOT_SUBSCRIBED = 1008
    TEMPORARY = 1009
    NOT_MSGPACK = 1010
    BAD_SUBPROTOCOL = 1100

    @property
    def fatal(self) -> bool:
        """Tell whether the connection ends with this error."""
        return self >= Code.BAD_SUBPROTOCOL


class CloseCode(IntEnum):
    """Why we close: 4000 to 4099 come back, 4400 to 4499 do not come back before something is changed."""

    RESTARTING = 4000
    FAILED = 4001
    STALLED = 4002
    LOG_REPLACED = 4003
    BAD_SUBPROTOCOL = 4400

    @property
    def come_back(self) -> bool:
        """Tell whether a subscriber may come back as it is."""
        return self < CloseCode.BAD_SUBPROTOCOL


class Policy(StrEnum):
    """Every entry in order, or the newest value of each stream."""

    LOSSLESS = "lossless"
    LATEST = "latest"


RequestId = int | str | None
Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]


class Ask(msgspec.Struct, frozen=True):
    """One channel of a subscribe frame."""

    channel: str
    after: Offset | dict[str, Offset] | None = None
    since: str | None = None
    policy: Policy | None = None
    max_rate_ms: Milliseconds | None = None


class Subscribe(msgspec.Struct, frozen=True, tag_field="op", tag="subscribe"):
    """Follow channels: all of them or, with an error frame, none."""

    channels: list[Ask]
    id: RequestId = None
    epoch: str | None = None


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="op", tag="unsubscribe"):
    """Stop following channels, named as they were in subscribe frames."""

    channels: list[str]
    id: RequestId = None


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one channel.

    ``offset`` is where its stream stands; a wildcard has ``offsets`` by stream instead. When not
    ``recovered``, ``missing`` names the offsets, first and last, that are not sent.
    """

    channel: str
    offset: int | None = None
    offsets: dict[str, int] | None = None
    recovered: bool | msgspec.UnsetType = msgspec.UNSET
    missing: dict[str, tuple[int, int]] | None = None


class Subscribed(msgspec.Struct, frozen=True, tag_field="op", tag="subscribed"):
    """The answer to subscribe: a result a channel, in the order asked."""

    id: RequestId
    epoch: str
    results: list[Result]


class Unsubscribed(msgspec.Struct, frozen=True, tag_field="op", tag="unsubscribed"):
    """The answer to unsubscribe; nothing of these channels follows."""

    id: RequestId
    channels: list[str]


class CaughtUp(msgspec.Struct, frozen=True, tag_field="op", tag="caught_up"):
    """What was missed has been sent up to ``offset``; what follows is live."""

    channel: str
    offset: int


class Heartbeat(msgspec.Struct, frozen=True, tag_field="op", tag="heartbeat"):
    """We live; ``offsets`` are those of this subscriber that moved since the last one."""

    ts: str
    offsets: dict[str, int]


class Error(msgspec.Struct, frozen=True, tag_field="op", tag="error"):
    """What was asked and not done."""

    id: RequestId
    code: int
    fatal: bool
    message: str


class _Numbered(msgspec.Struct):
    id: RequestId = None


Outgoing = Subscribed | Unsubscribed | CaughtUp | Heartbeat | Error

_quote = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder(Subscribe | Unsubscribe).decode
_decode_msgpack = msgspec.msgpack.Decoder(Subscribe | Unsubscribe).decode
_decode_json_id = msgspec.json.Decoder(_Numbered).decode
_decode_msgpack_id = msgspec.msgpack.Decoder(_Numbered).decode

_LATEST_OPS = {
    Family.QUOTES: "quote",
    Family.TRADES: "trade",
    Family.DEPTH: "depth",
    Family.COVERAGE: "gap",
    Family.RUNNING: "bar",
}

Said = str | bytes
"""The payload of a text frame, or of a binary one."""

_UNREADABLE = {
    Format.JSON: (Code.NOT_JSON, "one JSON object a text frame"),
    Format.MSGPACK: (Code.NOT_MSGPACK, "one MessagePack map a binary frame"),
}
_UNREADABLE_ERRORS = (msgspec.DecodeError, UnicodeError, RecursionError)


def decode(said: Said, format_: Format = Format.JSON) -> Subscribe | Unsubscribe:
    """Return the frame that a subscriber sent; raises RefusedRequestError."""
    code, must = _UNREADABLE[format_]
    if isinstance(said, str) is not (format_ is Format.JSON):
        kind = "text" if isinstance(said, str) else "binary"
        message = f"a {kind} frame: send {must}"
        raise RefusedRequestError(code, message)
    try:
        frame: Subscribe | Unsubscribe = (
            _decode_json(said) if isinstance(said, str) else _decode_msgpack(said)
        )
    except msgspec.ValidationError as error:
        message = f"{error}; send subscribe or unsubscribe as docs/stream.md shows"
        raise RefusedRequestError(Code.MALFORMED, message) from error
    except _UNREADABLE_ERRORS as error:
        message = f"the frame cannot be read: {error}; send {must}"
        raise RefusedRequestError(code, message) from error
    return frame


def id_of(said: Said) -> RequestId:
    """Return the ``id`` of a frame that may be malformed otherwise, or None."""
    try:
        return (_decode_json_id(said) if isinstance(said, str) else _decode_msgpack_id(said)).id
    except _UNREADABLE_ERRORS:
        return None


def error(request_id: RequestId, code: Code, message: str) -> Error:
    """Return an error frame."""
    return Error(request_id, int(code), code.fatal, message)


def quoted(channel: Channel) -> str:
    """Return the channel's name as a JSON string."""
    return _quote(str(channel)).decode()


def publication_frame(channel: str, publication: Publication) -> Frame:
    """Return the frame of a publication; ``channel`` is quoted already."""
    revises = "" if publication.revises is None else f'"revises":{publication.revises},'
    text = (
        f'{{"op":"{publication.op}","channel":{channel},"offset":{publication.offset},'
        f'{revises}"data":{publication.data}}}'
    )
    return Frame(text.encode())


def latest_frame(channel: str, latest: Latest, conflated: int) -> Frame:
    """Return the frame of a latest value that stands for ``conflated`` of them; ``channel`` is quoted."""
    op = _LATEST_OPS[latest.family]
    text = f'{{"op":"{op}","channel":{channel},"conflated":{conflated},"data":{latest.data}}}'
    return Frame(text.encode())
