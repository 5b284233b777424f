"""Count the ticks that a venue's raw messages offer, by plain JSON and nothing that a decoder uses.

A trade is one fill, a quote one message about the best bid and ask, a depth one message about the book.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

_Json: TypeAlias = Any
"""Parsed JSON of any shape."""


class Offered(NamedTuple):
    """How many ticks of each kind."""

    trades: int = 0
    quotes: int = 0
    depths: int = 0


NOTHING = Offered()
_TRADE = Offered(trades=1)
_QUOTE = Offered(quotes=1)
_DEPTH = Offered(depths=1)


class Tally:
    """Add up what was offered."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.trades = 0
        self.quotes = 0
        self.depths = 0

    def add(self, offered: Offered) -> None:
        """Add the ticks of one message."""
        self.trades += offered.trades
        self.quotes += offered.quotes
        self.depths += offered.depths

    @property
    def total(self) -> Offered:
        """Return the sum so far."""
        return Offered(self.trades, self.quotes, self.depths)


def count(venue: str, message: object) -> Offered:
    """Return what one parsed message of ``venue`` offers."""
    return _COUNTS[venue](message)


def _binance(message: _Json) -> Offered:
    if not isinstance(message, dict):
        return NOTHING
    feed = str(message.get("stream")).partition("@")[2]
    if feed == "trade":
        return _TRADE
    if feed == "bookTicker":
        return _QUOTE
    return _DEPTH if feed == "depth" or feed.startswith("depth@") else NOTHING


_COINBASE = {
    "match": _TRADE,
    "last_match": _TRADE,
    "ticker": _QUOTE,
    "snapshot": _DEPTH,
    "l2update": _DEPTH,
}


def _coinbase(message: _Json) -> Offered:
    if not isinstance(message, dict):
        return NOTHING
    return _COINBASE.get(str(message.get("type")), NOTHING)


def _kraken(message: _Json) -> Offered:
    if isinstance(message, list):
        return _kraken_v1(message)
    data = message.get("data") if isinstance(message, dict) else None
    return _kraken_feed(str(message.get("channel")), len(data)) if isinstance(data, list) else NOTHING


def _kraken_v1(message: list[_Json]) -> Offered:
    if len(message) < 4:  # noqa: PLR2004 - [id, payload, name, pair]
        return NOTHING
    name, rows = str(message[-2]).partition("-")[0], message[1]
    if name == "trade":
        return Offered(trades=len(rows)) if isinstance(rows, list) else NOTHING
    return _kraken_feed(name, 1)


def _kraken_feed(name: str, size: int) -> Offered:
    if name == "trade":
        return Offered(trades=size)
    if name in ("ticker", "spread"):
        return Offered(quotes=size)
    return Offered(depths=size) if name == "book" else NOTHING


_COUNTS: dict[str, Callable[[_Json], Offered]] = {
    "binance": _binance,
    "coinbase": _coinbase,
    "kraken": _kraken,
}
