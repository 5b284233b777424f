"""A book of Kraken's: cut to the depth subscribed to, and checked by a checksum.

Docs: https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final
from zlib import crc32

from ingest.books import Cause, Level, OrderBook
from ingest.venues.checking import Inexact, book_levels
from ingest.venues.one_socket import OneSocketDecoder
from ingest.venues.venue import Decoded
from market.errors import RefusedTickError

DEPTHS_OFFERED: Final = (10, 25, 100, 500, 1000)
"""The depths that can be subscribed to."""

_MOST_DECIMALS: Final = 12

Texts = Sequence[tuple[str, str]]
"""Prices and sizes as the venue wrote them."""


class KrakenBook:
    """One book, from a snapshot on."""

    def __init__(self, depth: int, bids: Texts, asks: Texts) -> None:
        self._book = OrderBook(depth)
        self._price_decimals = 0
        self._size_decimals = 0
        self._book.replace(self._levels(bids), self._levels(asks))
        self.top = self._book.top()
        """The best levels."""

    def update(self, bids: Texts, asks: Texts) -> None:
        """Set the levels named; raises RefusedTickError when one is no number."""
        self._book.update(self._levels(bids), self._levels(asks))
        self.top = self._book.top()

    def has(self, checksum: int) -> bool:
        """Tell whether the digits of the best levels, asks first, have that CRC32."""
        return self._checksum(self._price_decimals, self._size_decimals) == checksum

    def begins_with(self, checksum: int) -> bool:
        """Tell whether a snapshot has that checksum; learn from it how many zeros its numbers end with.

        A sender that writes JSON numbers may leave out the zeros at the end of all of them.
        """
        for prices in range(self._price_decimals, _MOST_DECIMALS + 1):
            for sizes in range(self._size_decimals, _MOST_DECIMALS + 1):
                if self._checksum(prices, sizes) == checksum:
                    self._price_decimals, self._size_decimals = prices, sizes
                    return True
        return False

    def _levels(self, texts: Texts) -> list[Level]:
        for price, size in texts:
            self._price_decimals = max(self._price_decimals, _decimals(price))
            self._size_decimals = max(self._size_decimals, _decimals(size))
        return book_levels(texts)

    def _checksum(self, price_decimals: int, size_decimals: int) -> int:
        bid_prices, bid_sizes, ask_prices, ask_sizes = self.top
        levels = chain(zip(ask_prices, ask_sizes, strict=True), zip(bid_prices, bid_sizes, strict=True))
        digits = [_digits(price, price_decimals) + _digits(size, size_decimals) for price, size in levels]
        return crc32("".join(digits).encode())


class KrakenBooks(OneSocketDecoder[KrakenBook]):
    """The part of a decoder that begins and continues books; what it returns says what was wrong."""

    def _began(  # noqa: PLR0913, PLR0917 - what a snapshot says
        self, symbol: str, depth: int, bids: Texts, asks: Texts, checksum: int | None, received_at: int
    ) -> Decoded | None:
        """Begin from a snapshot."""
        try:
            book = KrakenBook(depth, bids, asks)
        except RefusedTickError as refused:
            return self._break(symbol, Cause.UNREADABLE, received_at, refused.reason)
        if checksum is not None and not book.begins_with(checksum):
            return self._break(symbol, Cause.CHECKSUM, received_at)
        if book.top.crossed:
            return self._break(symbol, Cause.CROSSED, received_at)
        self._begin(symbol, book, received_at)
        return None

    def _continued(
        self, symbol: str, bids: Texts, asks: Texts, checksum: int | None, received_at: int
    ) -> Decoded | None:
        """Apply an update."""
        book = self._valid.get(symbol)
        if book is None:
            return self._drop(symbol, received_at)
        try:
            book.update(bids, asks)
        except RefusedTickError as refused:
            return self._break(symbol, Cause.UNREADABLE, received_at, refused.reason)
        if checksum is not None and not book.has(checksum):
            return self._break(symbol, Cause.CHECKSUM, received_at)
        if book.top.crossed:
            return self._break(symbol, Cause.CROSSED, received_at)
        return None


def depth_of(levels: int) -> int:
    """Return the depth that was subscribed to, of which a snapshot has at most so many levels a side."""
    return next((depth for depth in DEPTHS_OFFERED if levels <= depth), levels)


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def _digits(value: float, decimals: int) -> str:
    """Return the digits as the venue wrote them: all of a book's numbers have the same decimals."""
    text = value.text if isinstance(value, Inexact) else f"{value:.{decimals}f}"
    return text.replace(".", "").lstrip("0")
