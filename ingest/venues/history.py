"""What every venue's history is: which trades are asked for, how, and what an answer says. No I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from http import HTTPStatus
from typing import Final, Protocol

import msgspec

from ingest.venues.venue import TRADES, Decoded, Reason, Rejection
from market.errors import RateLimitedError, RefusedTickError, VenueRefusedError, VenueUnavailableError
from market.times import is_plausible
from market.trades import Trade

_BAN_SECONDS: Final = 120.0
"""How long a venue that bans without saying how long is left alone."""

_REST_SECONDS: Final = 10.0
"""The same for one that only says that it was asked too often."""

_NOT_HERE: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS)
"""How one host of a venue says that it does not serve our address; another may."""

_TEAPOT: Final = 418
"""How Binance says that an address is banned."""

_SAID: Final = 200
"""Bytes of an answer that are told in an error."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: an instrument's trades in [from_ts, to_ts), or between two of its ids.

    Where an id is known it says more than the time beside it. Both ends are exclusive of the trades named.
    """

    instrument_id: int
    venue_symbol: str
    from_ts: int
    to_ts: int
    after_id: int | None = None
    before_id: int | None = None

    def holds(self, trade: Trade) -> bool:
        """Tell whether a trade is one of those that are looked for."""
        return not self.precedes(trade) and not self.follows(trade)

    def precedes(self, trade: Trade) -> bool:
        """Tell whether a trade lies before the stretch."""
        return trade.ts < self.from_ts if self.after_id is None else trade.trade_id <= self.after_id

    def follows(self, trade: Trade) -> bool:
        """Tell whether a trade lies after the stretch."""
        return trade.ts >= self.to_ts if self.before_id is None else trade.trade_id >= self.before_id


class Request(msgspec.Struct, frozen=True):
    """A page to ask for: path and query, what it weighs in the venue's own measure, and headers."""

    path: str
    weight: int = 1
    headers: Mapping[str, str] = {}


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes
    retry_after: str = ""


class Page(msgspec.Struct, frozen=True):
    """What an answer says: the trades of the stretch, in any order; where the next page begins.

    ``complete`` says that the venue has nothing more of the stretch.
    """

    trades: Sequence[Trade]
    rejections: Sequence[Rejection]
    position: str
    complete: bool


class Order(Enum):
    """How the trades from a time on are reached: by the time, or by an id that must be looked for first."""

    BY_TIME = "by time"
    UPWARDS = "upwards"
    DOWNWARDS = "downwards"


class History(Protocol):
    """One venue's road back. A ``position`` is text that this venue alone reads; "" is the beginning."""

    @property
    def contiguous(self) -> bool:
        """Return whether the venue numbers an instrument's trades without holes."""

    @property
    def tolerance(self) -> int:
        """Return by how many microseconds this road's times may differ from the socket's."""

    @property
    def order(self) -> Order:
        """Return how a page follows the one before it."""

    @property
    def limit(self) -> int:
        """Return how many trades a page has at most."""

    def position(self, trade_id: int) -> str:
        """Return where pages begin with a trade, or with the next one that there is, in their order.

        Of venues that are asked by time there is none.
        """

    def request(self, stretch: Stretch, position: str) -> Request:
        """Return what to ask for at a position."""

    def judge(self, answer: Answer) -> None:
        """Raise RateLimitedError, VenueUnavailableError, or VenueRefusedError unless it is a page."""

    def page(self, stretch: Stretch, position: str, body: bytes, received_at: int) -> Page:
        """Return what a page says; raises DecodeError when it is none."""


def judge(answer: Answer) -> None:
    """Raise what an answer's status says, as far as venues agree on it."""
    said = answer.body[:_SAID].decode(errors="replace")
    message = f"the venue answered {answer.status}: {said}"
    if answer.status in (HTTPStatus.TOO_MANY_REQUESTS, _TEAPOT):
        raise RateLimitedError(message, _retry_after(answer))
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _NOT_HERE:
        raise VenueUnavailableError(message)
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise VenueRefusedError(message)


def understood(rows: Iterable[bytes], make: Callable[[bytes], Trade]) -> Decoded:
    """Return the trades that ``make`` makes of rows; one that cannot be stored is rejected whole."""
    trades: list[Trade] = []
    rejections: list[Rejection] = []
    for row in rows:
        try:
            trades.append(make(row))
        except RefusedTickError as refused:
            rejections.append(Rejection(TRADES, refused.reason, row))
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
            rejections.append(Rejection(TRADES, Reason.UNDECODABLE, row))
    return Decoded(trades=trades, rejections=rejections)


def plausible(ts: int, received_at: int) -> int:
    """Return ``ts``; raises RefusedTickError when no trade can be of that time."""
    if not is_plausible(ts, received_at):
        raise RefusedTickError(Reason.IMPLAUSIBLE_TIME)
    return ts


def cut(decoded: Decoded, stretch: Stretch, position: str, *, complete: bool) -> Page:
    """Return the page whose trades are those of the stretch among what was understood."""
    trades = [trade for trade in decoded.trades if stretch.holds(trade)]
    return Page(trades, decoded.rejections, position, complete)


def _retry_after(answer: Answer) -> float:
    """Return the seconds that are told; a date, or nothing, is taken for a usual time."""
    usual = _BAN_SECONDS if answer.status == _TEAPOT else _REST_SECONDS
    text = answer.retry_after.strip()
    return float(text) if text.isascii() and text.isdigit() else usual
