"""Old trades of Binance spot and USD-M futures, by their ids.

``isBuyerMaker`` says that the seller took, as the socket's ``m`` does.

Docs: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints#old-trade-lookup
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Old-Trades-Lookup
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from ingest.venues.bodies import parsed
from ingest.venues.checking import positive
from ingest.venues.history import Answer, Order, Page, Request, Stretch, cut, judge, plausible, understood
from ingest.venues.venue import Decoded, Id
from market.instruments import Market
from market.trades import Side, Trade

_MILLISECOND: Final = 1000
"""In microseconds."""

_NEWEST: Final = "<"
"""The position of the newest page. What else begins so is a window; any other is an id to go on from."""


class _Road(msgspec.Struct, frozen=True):
    path: str
    weight: int
    limit: int


class _Window(msgspec.Struct, frozen=True):
    """Ids [bottom, top), asked for from ``first`` on; nothing older is wanted where ``bottom`` is 0."""

    bottom: int
    first: int
    top: int

    def __str__(self) -> str:
        return f"{_NEWEST}{self.bottom}:{self.first}:{self.top}"


_ROADS: Final = {
    Market.SPOT: _Road("/api/v3/historicalTrades", 25, 1000),
    Market.SWAP: _Road("/fapi/v1/historicalTrades", 20, 500),
}


class _Trade(msgspec.Struct):
    id: Id
    price: str
    qty: str
    time: int
    isBuyerMaker: bool  # noqa: N815 - the venue's name


_pages = msgspec.json.Decoder(list[msgspec.Raw])
_trades = msgspec.json.Decoder(_Trade)


class BinanceHistory:
    """Pages from the last id known upwards; without one, from the newest downwards.

    History of USD-M lacks trades of the insurance fund and of deleveraging, which its socket has.
    """

    contiguous = True
    tolerance = 0
    order = Order.UPWARDS

    def __init__(self, market: Market, api_key: str = "") -> None:
        self._road = _ROADS[market]
        self.limit = self._road.limit
        self._headers: Mapping[str, str] = {"X-MBX-APIKEY": api_key} if api_key else {}

    def position(self, trade_id: int) -> str:
        """Return the position of the page that begins with a trade."""
        return str(max(trade_id, 0))

    def request(self, stretch: Stretch, position: str) -> Request:
        """Return the request of one page; USD-M asks for a key."""
        first = _first(position or self._beginning(stretch))
        wanted = f"symbol={stretch.venue_symbol}&limit={self._road.limit}"
        wanted += "" if first is None else f"&fromId={first}"
        return Request(f"{self._road.path}?{wanted}", self._road.weight, self._headers)

    def judge(self, answer: Answer) -> None:
        """Raise what the status says."""
        judge(answer)

    def page(self, stretch: Stretch, position: str, body: bytes, received_at: int) -> Page:
        """Return a page of either direction."""
        position = position or self._beginning(stretch)
        listed = parsed(_pages.decode, body, f"binance answered no trades of {stretch.venue_symbol}")
        rows = [bytes(row) for row in listed]
        decoded = understood(rows, lambda row: _trade(row, stretch.instrument_id, received_at))
        if position == _NEWEST:
            return self._newest(stretch, decoded)
        if position.startswith(_NEWEST):
            return self._downwards(stretch, _window(position), decoded)
        return _upwards(stretch, position, decoded)

    def _beginning(self, stretch: Stretch) -> str:
        if stretch.after_id is not None:
            return str(stretch.after_id + 1)
        return _NEWEST if stretch.before_id is None else str(self._below(stretch.before_id))

    def _below(self, top: int) -> _Window:
        bottom = max(0, top - self._road.limit)
        return _Window(bottom, bottom, top)

    def _newest(self, stretch: Stretch, decoded: Decoded) -> Page:
        ids = _ids(decoded.trades)
        complete = not ids or any(map(stretch.precedes, decoded.trades))
        return cut(decoded, stretch, str(self._below(min(ids, default=0))), complete=complete)

    def _downwards(self, stretch: Stretch, window: _Window, decoded: Decoded) -> Page:
        """Return a page of a window; one that is short is followed by the rest of its window."""
        below = [trade for trade in decoded.trades if trade.trade_id < window.top]
        exhausted = not below and window.first == window.bottom
        bottom = 0 if exhausted or any(map(stretch.precedes, below)) else window.bottom
        following = max(_ids(below), default=window.top - 1) + 1
        rest = following < window.top
        then = _Window(bottom, following, window.top) if rest else self._below(window.bottom)
        return cut(decoded, stretch, str(then), complete=not rest and bottom == 0)


def _window(position: str) -> _Window:
    return _Window(*map(int, position.removeprefix(_NEWEST).split(":")))


def _first(position: str) -> int | None:
    """Return the id that a page begins with; None for the newest page."""
    if position == _NEWEST:
        return None
    return _window(position).first if position.startswith(_NEWEST) else int(position)


def _upwards(stretch: Stretch, position: str, decoded: Decoded) -> Page:
    """Return a page; one that is short may be one of many, an empty one is the end."""
    following = max(_ids(decoded.trades), default=int(position) - 1) + 1
    reached = stretch.before_id is not None and following >= stretch.before_id
    complete = reached or following == int(position) or any(map(stretch.follows, decoded.trades))
    return cut(decoded, stretch, str(following), complete=complete)


def _ids(trades: Iterable[Trade]) -> Sequence[int]:
    return [trade.trade_id for trade in trades]


def _trade(row: bytes, instrument_id: int, received_at: int) -> Trade:
    frame = _trades.decode(row)
    return Trade(
        instrument_id=instrument_id,
        ts=plausible(frame.time * _MILLISECOND, received_at),
        trade_id=frame.id,
        price=positive(frame.price),
        size=positive(frame.qty),
        side=Side.SELL if frame.isBuyerMaker else Side.BUY,
        received_at=received_at,
    )
