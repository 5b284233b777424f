"""Opaque marks of where a page ended: the unique key of its last row."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, TypeVar

import msgspec

from market.errors import InvalidInputError

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int16 = Annotated[int, msgspec.Meta(ge=-(2**15), le=2**15 - 1)]
Ts = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""Microseconds since 1970, in the range that PostgreSQL keeps."""

_VERSION = 1

_Key = TypeVar("_Key", bound=tuple[Any, ...])


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    version: int
    about: str
    key: tuple[Any, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Cursor).decode


def encode(about: str, key: tuple[Any, ...]) -> str:
    """Return the cursor behind the row with this key in the history that ``about`` names."""
    return urlsafe_b64encode(_encode(_Cursor(_VERSION, about, key))).rstrip(b"=").decode()


def decode(about: str, text: str, kind: type[_Key]) -> _Key:
    """Return the key in a cursor; raises InvalidInputError for one that this history did not give."""
    try:
        cursor = _decode(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        key: _Key = msgspec.convert(cursor.key, kind)
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidInputError(_refusal(text), where="cursor") from error
    if (cursor.version, cursor.about) != (_VERSION, about):
        raise InvalidInputError(_refusal(text), where="cursor")
    return key


def _refusal(text: str) -> str:
    return f"cursor {text!r} is not of this history: give back `next` as it was, with the same question"
