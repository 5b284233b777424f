"""Opaque marks of where a page ended: the unique key of its last row, signed.

What can be read out of one is no secret; that nobody makes one up keeps reads on keys that rows have had.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, Final, TypeVar

import msgspec

from market.errors import InvalidInputError

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int16 = Annotated[int, msgspec.Meta(ge=-(2**15), le=2**15 - 1)]
Ts = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""Microseconds since 1970, in the range that PostgreSQL keeps."""

_VERSION: Final = 2
_SIGNATURE_BYTES: Final = 16

_Key = TypeVar("_Key", bound=tuple[Any, ...])


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    version: int
    key: tuple[Any, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Cursor).decode


class Cursors:
    """Makes cursors and reads them again, also those of another process with the same ``secret``."""

    def __init__(self, secret: bytes) -> None:
        """Sign with a key that is made once for a database."""
        self._secret = secret

    def encode(self, about: str, key: tuple[Any, ...]) -> str:
        """Return the cursor behind the row with this key in the answer to the question ``about``."""
        content = _encode(_Cursor(_VERSION, key))
        return urlsafe_b64encode(self._signature(about, content) + content).rstrip(b"=").decode()

    def decode(self, about: str, text: str, kind: type[_Key]) -> _Key:
        """Return the key in a cursor; raises InvalidInputError for one that this question did not give."""
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            signature, content = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
            if not hmac.compare_digest(signature, self._signature(about, content)):
                raise InvalidInputError(_refusal(text), where="cursor")
            key: _Key = msgspec.convert(_decode(content).key, kind)
        except (ValueError, msgspec.DecodeError) as error:
            raise InvalidInputError(_refusal(text), where="cursor") from error
        return key

    def _signature(self, about: str, content: bytes) -> bytes:
        signed = len(content).to_bytes(4) + content + about.encode()
        return hmac.digest(self._secret, signed, "sha256")[:_SIGNATURE_BYTES]


def _refusal(text: str) -> str:
    return f"cursor {text!r} is not of this history: give back `next` as it was, with the same question"
