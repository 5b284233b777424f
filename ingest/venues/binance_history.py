"""Old trades of Binance spot and USD-M futures, by their ids, and the trade files of data.binance.vision.

``isBuyerMaker`` says that the seller took, as the socket's ``m`` does. Files of spot tell microseconds
since 2025; the socket tells milliseconds, and so do keys.

Docs: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints#old-trade-lookup
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Old-Trades-Lookup
https://github.com/binance/binance-public-data#trades
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from ingest.venues.checking import positive
from ingest.venues.history import Answer, Page, Request, Stretch, cut, judge, plausible, understood
from ingest.venues.venue import Decoded, Id
from market.errors import DecodeError
from market.instruments import Market
from market.trades import Side, Trade

_MILLISECOND: Final = 1000
"""In microseconds."""

_MICROSECOND_DIGITS: Final = 16
"""Of a time in microseconds, until the year 2286; one in milliseconds has 13."""

_DOWN: Final = "<"
"""Begins a position from which pages are walked towards older trades; any other is an id to go on from."""


class _Road(msgspec.Struct, frozen=True):
    path: str
    weight: int
    limit: int


_ROADS: Final = {
    Market.SPOT: _Road("/api/v3/historicalTrades", 25, 1000),
    Market.SWAP: _Road("/fapi/v1/historicalTrades", 20, 500),
}
_SIDES: Final = {"true": Side.SELL, "false": Side.BUY}


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

    def __init__(self, market: Market, api_key: str = "") -> None:
        self._road = _ROADS[market]
        self._headers: Mapping[str, str] = {"X-MBX-APIKEY": api_key} if api_key else {}

    def request(self, stretch: Stretch, position: str) -> Request:
        """Return the request of one page; USD-M asks for a key."""
        first = self._first(position or _beginning(stretch))
        wanted = f"symbol={stretch.venue_symbol}&limit={self._road.limit}"
        wanted += "" if first is None else f"&fromId={first}"
        return Request(f"{self._road.path}?{wanted}", self._road.weight, self._headers)

    def judge(self, answer: Answer) -> None:
        """Raise what the status says."""
        judge(answer)

    def page(self, stretch: Stretch, position: str, body: bytes, received_at: int) -> Page:
        """Return a page of either direction."""
        position = position or _beginning(stretch)
        try:
            rows = [bytes(row) for row in _pages.decode(body)]
        except msgspec.DecodeError as error:
            message = f"binance answered no trades of {stretch.venue_symbol}: {error}"
            raise DecodeError(message) from error
        decoded = understood(rows, lambda row: _trade(row, stretch.instrument_id, received_at))
        if position.startswith(_DOWN):
            return self._downwards(stretch, position, decoded)
        return _upwards(stretch, position, decoded)

    def file(self, lines: Iterable[str], instrument_id: int, received_at: int) -> Decoded:
        """Return the trades of ``BTCUSDT-trades-2025-01-01.csv``, whose first line may name the columns."""
        rows = (line.strip().encode() for line in lines if line[:1].isdigit())
        return understood(rows, lambda row: _filed(row.decode(), instrument_id, received_at))

    def _first(self, position: str) -> int | None:
        """Return the id that a page begins with; None for the newest page."""
        if position == _DOWN:
            return None
        if position.startswith(_DOWN):
            return max(0, int(position.removeprefix(_DOWN)) - self._road.limit)
        return int(position)

    def _downwards(self, stretch: Stretch, position: str, decoded: Decoded) -> Page:
        top = position.removeprefix(_DOWN)
        below = [trade for trade in decoded.trades if not top or trade.trade_id < int(top)]
        first = self._first(position)
        bottom = min(_ids(below), default=0) if first is None else first
        complete = not below or bottom == 0 or any(map(stretch.precedes, below))
        return cut(decoded, stretch, f"{_DOWN}{bottom}", complete=complete)


def _beginning(stretch: Stretch) -> str:
    if stretch.after_id is not None:
        return str(stretch.after_id + 1)
    return _DOWN if stretch.before_id is None else f"{_DOWN}{stretch.before_id}"


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


def _filed(line: str, instrument_id: int, received_at: int) -> Trade:
    """Return the trade of ``id,price,qty,quote_qty,time,is_buyer_maker[,is_best_match]``."""
    number, price, size, _, time, buyer_made, *_ = line.split(",")
    milliseconds = int(time) // _MILLISECOND if len(time) >= _MICROSECOND_DIGITS else int(time)
    return Trade(
        instrument_id=instrument_id,
        ts=plausible(milliseconds * _MILLISECOND, received_at),
        trade_id=int(number),
        price=positive(price),
        size=positive(size),
        side=_SIDES.get(buyer_made.lower(), Side.UNKNOWN),
        received_at=received_at,
    )
