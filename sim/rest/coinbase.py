"""Trades of Coinbase Exchange.

https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades
https://docs.cdp.coinbase.com/exchange/rest-api/pagination
"""

import re
from http import HTTPStatus

from market import times
from sim.ledger import Fill, Ledger, Trades
from sim.rest.rest import Address
from sim.wire.http import Answer, json_of

_PATH = re.compile(r"/products/([^/]+)/trades")
_GREATEST_LIMIT = 1000
_MAKERS = {"buy": "sell", "sell": "buy"}
"""Trades tell the side of the maker."""


class CoinbaseRest:
    """Trades before and after an id, the newest first."""

    def answer(self, address: Address, ledger: Ledger, now: int) -> Answer | None:  # noqa: ARG002
        """Read ``/products/BTC-USD/trades?after=100&limit=1000``: what is older than trade 100."""
        found = _PATH.fullmatch(address.path)
        if found is None:
            return None
        trades = ledger.of(found[1])
        if trades is None:
            return Answer(json_of({"message": "NotFound"}), HTTPStatus.NOT_FOUND)
        page = _page(address, trades)
        return Answer(json_of([_row(fill) for fill in page]), headers=_cursors(page))

    def limited(self, now: int) -> Answer:  # noqa: ARG002
        """Refuse with 429."""
        return Answer(json_of({"message": "Public rate limit exceeded"}), HTTPStatus.TOO_MANY_REQUESTS)


def _page(address: Address, trades: Trades) -> list[Fill]:
    """Return the newest that are older than ``after`` and newer than ``before``, whichever is given."""
    limit = min(address.number("limit") or _GREATEST_LIMIT, _GREATEST_LIMIT)
    newer = address.number("before") or 0
    page = trades.latest(limit, address.number("after"))
    return [fill for fill in reversed(page) if fill.trade_id is None or fill.trade_id > newer]


def _cursors(page: list[Fill]) -> dict[str, str]:
    return {"cb-before": str(page[0].trade_id), "cb-after": str(page[-1].trade_id)} if page else {}


def _row(fill: Fill) -> dict[str, object]:
    return {
        "trade_id": fill.trade_id,
        "side": _MAKERS[fill.side],
        "size": fill.size,
        "price": fill.price,
        "time": times.to_iso(fill.ts),
    }
