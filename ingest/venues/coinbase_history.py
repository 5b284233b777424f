"""Old trades of Coinbase Exchange, the newest first.

``side`` is the maker's, as on the socket: a buy says that the taker sold.

Docs: https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades
and https://docs.cdp.coinbase.com/exchange/rest-api/pagination
"""

from typing import Final

import msgspec

from ingest.venues.bodies import parsed
from ingest.venues.checking import positive
from ingest.venues.coinbase import TAKERS
from ingest.venues.history import Answer, Order, Page, Request, Stretch, cut, judge, plausible, understood
from ingest.venues.venue import Id
from market.times import from_iso
from market.trades import Side, Trade

_LIMIT: Final = 1000


class _Trade(msgspec.Struct):
    trade_id: Id
    side: str
    size: str
    price: str
    time: str


_pages = msgspec.json.Decoder(list[msgspec.Raw])
_trades = msgspec.json.Decoder(_Trade)


class CoinbaseHistory:
    """Pages downwards: a position is the id below which the next one lies."""

    contiguous = True
    tolerance = 0
    order = Order.DOWNWARDS
    limit = _LIMIT

    def position(self, trade_id: int) -> str:
        """Return the position of the page that begins with a trade, the newest on it."""
        return str(trade_id + 1)

    def request(self, stretch: Stretch, position: str) -> Request:
        """Return the request of one page."""
        after = position or _beginning(stretch)
        wanted = f"limit={_LIMIT}&after={after}" if after else f"limit={_LIMIT}"
        return Request(f"/products/{stretch.venue_symbol}/trades?{wanted}")

    def judge(self, answer: Answer) -> None:
        """Raise what the status says."""
        judge(answer)

    def page(self, stretch: Stretch, position: str, body: bytes, received_at: int) -> Page:
        """Return a page; one that is short may be one of many, an empty one is the end."""
        listed = parsed(_pages.decode, body, f"coinbase answered no trades of {stretch.venue_symbol}")
        rows = [bytes(row) for row in listed]
        decoded = understood(rows, lambda row: _trade(row, stretch.instrument_id, received_at))
        ids = [trade.trade_id for trade in decoded.trades]
        bottom = min(ids, default=0)
        reached = stretch.after_id is not None and bottom <= stretch.after_id + 1
        past = any(map(stretch.precedes, decoded.trades))
        stuck = str(bottom) == position or not ids
        return cut(decoded, stretch, str(bottom), complete=reached or past or stuck)


def _beginning(stretch: Stretch) -> str:
    return "" if stretch.before_id is None else str(stretch.before_id)


def _trade(row: bytes, instrument_id: int, received_at: int) -> Trade:
    frame = _trades.decode(row)
    return Trade(
        instrument_id=instrument_id,
        ts=plausible(from_iso(frame.time), received_at),
        trade_id=frame.trade_id,
        price=positive(frame.price),
        size=positive(frame.size),
        side=TAKERS.get(frame.side, Side.UNKNOWN),
        received_at=received_at,
    )
