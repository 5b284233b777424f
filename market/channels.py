"""The names of streams: ``signals:kraken:SOL/USD``, with ``*`` for any exchange or symbol, or both."""

from enum import StrEnum
from typing import NamedTuple

from market.errors import InvalidInputError


class Family(StrEnum):
    """What a stream carries. Signals and bars are in the log; of the others there is only the latest."""

    SIGNALS = "signals"
    BARS = "bars"
    QUOTES = "quotes"
    TRADES = "trades"
    DEPTH = "depth"
    COVERAGE = "coverage"
    RUNNING = "running bars"
    """Not named in channels: who follows ``bars`` by the policy ``latest`` is sent them."""

    @property
    def channel(self) -> str:
        """Return how channels name this family."""
        return Family.BARS.value if self is Family.RUNNING else self.value

    @property
    def logged(self) -> bool:
        """Tell whether this family has offsets and can be resumed."""
        return self in (Family.SIGNALS, Family.BARS)


_NAMED = {family.value: family for family in Family if family.channel == family}

WILDCARD = "*"
_ALL = "*:*"


class Channel(NamedTuple):
    """A stream, or with wildcards a set of streams."""

    family: Family
    exchange: str
    symbol: str

    def __str__(self) -> str:
        """Return the name as it travels."""
        return f"{self.family.channel}:{self.exchange}:{self.symbol}"

    @property
    def wild(self) -> bool:
        """Tell whether this names more than one stream."""
        return WILDCARD in (self.exchange, self.symbol)

    def matches(self, other: "Channel") -> bool:
        """Tell whether the stream ``other``, which has no wildcards, is among those named."""
        return (
            self.family == other.family
            and self.exchange in (WILDCARD, other.exchange)
            and self.symbol in (WILDCARD, other.symbol)
        )


def parse(name: str) -> Channel:
    """Return the channel named ``family:exchange:symbol``; the symbol may contain colons.

    ``family:*`` is short for ``family:*:*``.
    """
    family, _, rest = name.partition(":")
    exchange, _, symbol = (_ALL if rest == WILDCARD else rest).partition(":")
    if family not in _NAMED or not exchange or not symbol:
        families = ", ".join(_NAMED)
        message = f"channel {name!r} is not FAMILY:EXCHANGE:SYMBOL with FAMILY one of {families}"
        raise InvalidInputError(message)
    if any(WILDCARD in part and part != WILDCARD for part in (exchange, symbol)):
        message = f"channel {name!r}: {WILDCARD} stands for a whole exchange or symbol, not for a part of one"
        raise InvalidInputError(message)
    return Channel(_NAMED[family], exchange, symbol)
