"""How a venue says what happened at a market."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from market.times import SECOND, to_iso
from sim.ledger import MICROSECOND
from sim.markets import SIZE_DECIMALS, Best, BookUpdate, Execution, MadeUpMarket
from sim.messages import Message
from sim.protocols.protocol import Topic


class Encoder(Protocol):
    """One symbol in one venue's words."""

    feeds: ClassVar[tuple[str, str, str]]
    """The topics' feeds of trades, quotes, and depths."""
    levels: ClassVar[int]
    """Of the published book, a side."""
    book_seconds: ClassVar[float]
    """Between two updates of the book."""
    gathers_seconds: ClassVar[float]
    """How long trades are gathered to be told in one frame; 0: each has a frame of its own."""

    venue_symbol: str

    def __init__(self, market: MadeUpMarket) -> None:
        """Take the market that is told of."""

    def trades(self, executions: Sequence[Execution], due: int) -> list[Message]:
        """Tell trades."""

    def quote(self, best: Best, due: int) -> Message:
        """Tell the best bid and ask."""

    def update(self, update: BookUpdate, due: int) -> Message:
        """Tell what changed in the book."""

    def snapshot(self) -> str | None:
        """Return the whole book as REST answers; None where it is told on the socket."""

    def opening(self, topic: Topic) -> list[Message]:
        """Return what who subscribes is told first."""


class Numbers:
    """Ticks and lots as decimals, with zeros up to a least number of places."""

    def __init__(self, price_decimals: int, least_price_places: int, size_places: int) -> None:
        """Take how fine prices are, and how many places prices and sizes have at least."""
        self._scale: int = 10**price_decimals
        self._decimals = price_decimals
        self._price_zeros = "0" * (least_price_places - price_decimals)
        self._size_scale: int = 10**SIZE_DECIMALS
        self._size_zeros = "0" * (size_places - SIZE_DECIMALS)

    def price(self, ticks: int) -> str:
        """Return a price."""
        whole, part = divmod(ticks, self._scale)
        return f"{whole}.{part:0{self._decimals}d}{self._price_zeros}"

    def size(self, lots: int) -> str:
        """Return a size."""
        whole, part = divmod(lots, self._size_scale)
        return f"{whole}.{part:05d}{self._size_zeros}"


class IsoTimes:
    """Times in ISO 8601, quickly where many lie in one second."""

    def __init__(self) -> None:
        """Know no second yet."""
        self._second = -1
        self._begins = ""

    def of(self, ns: int) -> str:
        """Return nanoseconds as text, truncated to microseconds."""
        second, microseconds = divmod(ns // MICROSECOND, SECOND)
        if second != self._second:
            self._second = second
            self._begins = to_iso(second * SECOND)[: -len("000000Z")]
        return f"{self._begins}{microseconds:06d}Z"
