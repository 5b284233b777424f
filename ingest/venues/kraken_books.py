"""A book of Kraken's: cut to the depth subscribed to, and checked by a checksum.

Docs: https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2
"""

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from ingest.books import Level, OrderBook, Top
from ingest.venues.checking import Inexact, book_levels

DEPTHS_OFFERED: Final = (10, 25, 100, 500, 1000)
"""The depths that can be subscribed to."""

_CHECKED_LEVELS: Final = 10

Texts = Sequence[tuple[str, str]]
"""Prices and sizes as the venue wrote them."""


class KrakenBook:
    """One book, from a snapshot on."""

    def __init__(self, depth: int, bids: Texts, asks: Texts) -> None:
        self._book = OrderBook(depth)
        self._price_decimals = 0
        self._size_decimals = 0
        self._book.replace(self._levels(bids), self._levels(asks))

    def update(self, bids: Texts, asks: Texts) -> None:
        """Set the levels named; raises RefusedTickError when one is no number."""
        self._book.update(self._levels(bids), self._levels(asks))

    def top(self) -> Top:
        """Return the best levels."""
        return self._book.top()

    def checksum(self) -> int:
        """Return the CRC32 of the digits of the best levels, asks first."""
        top = self._book.top(_CHECKED_LEVELS)
        asks = self._digits(top.ask_prices, top.ask_sizes)
        return crc32((asks + self._digits(top.bid_prices, top.bid_sizes)).encode())

    def _levels(self, texts: Texts) -> list[Level]:
        for price, size in texts:
            self._price_decimals = max(self._price_decimals, _decimals(price))
            self._size_decimals = max(self._size_decimals, _decimals(size))
        return book_levels(texts)

    def _digits(self, prices: Sequence[float], sizes: Sequence[float]) -> str:
        pairs = zip(prices, sizes, strict=True)
        return "".join(
            [
                _digits(price, self._price_decimals) + _digits(size, self._size_decimals)
                for price, size in pairs
            ]
        )


def depth_of(levels: int) -> int:
    """Return the depth that was subscribed to, of which a snapshot has at most so many levels a side."""
    return next((depth for depth in DEPTHS_OFFERED if levels <= depth), levels)


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def _digits(value: float, decimals: int) -> str:
    """Return the digits as the venue wrote them: all of a book's numbers have the same decimals."""
    text = value.text if isinstance(value, Inexact) else f"{value:.{decimals}f}"
    return text.replace(".", "").lstrip("0")
