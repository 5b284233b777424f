"""The public name of a signal: what is unique of it, as a text that stands in an address as it is.

``kraken:SOL~USD:rsi:2:1723161255000000`` is exchange, symbol (its slash written ``~``), kind, version, and
event time. Computing the signal again gives the same name, in every database.
"""

import re
from typing import NamedTuple

from market.errors import InvalidInputError

_AFTER_SYMBOL = 3
_KIND = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_DIGITS = 17
"""More than any version or time has."""

_LARGEST_VERSION = 2**15 - 1


class SignalId(NamedTuple):
    """What is unique of a signal."""

    exchange: str
    symbol: str
    kind: str
    version: int
    ts: int

    def __str__(self) -> str:
        """Return the name."""
        symbol = self.symbol.replace("/", "~")
        return f"{self.exchange}:{symbol}:{self.kind}:{self.version}:{self.ts}"


def parse(text: str) -> SignalId:
    """Return what ``text`` names; raises InvalidInputError."""
    instrument, *rest = text.rsplit(":", _AFTER_SYMBOL)
    exchange, _, symbol = instrument.partition(":")
    named = len(rest) == _AFTER_SYMBOL and exchange and symbol and _KIND.fullmatch(rest[0])
    if not named or not all(map(_is_number, rest[1:])) or int(rest[1]) > _LARGEST_VERSION:
        message = f"{text!r} is not the id of a signal, such as kraken:SOL~USD:rsi:2:1723161255000000"
        raise InvalidInputError(message, where="id")
    version, ts = map(int, rest[1:])
    return SignalId(exchange, symbol.replace("~", "/"), rest[0], version, ts)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS
