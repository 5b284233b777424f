"""Reading what a venue's REST answers, whatever it is."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from market.errors import DecodeError

Parsed = TypeVar("Parsed")


def parsed(decode: Callable[[bytes], Parsed], body: bytes, saying: str) -> Parsed:
    """Return what ``decode`` makes of a body; raises DecodeError, ``saying`` first, for one that is none.

    Text may be no text, and what nests too deeply is not read to its end.
    """
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"{saying}: {error}"
        raise DecodeError(message) from error
