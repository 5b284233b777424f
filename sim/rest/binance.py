"""Trades of Binance spot and USD-M.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Old-Trades-Lookup
"""

from decimal import Decimal
from http import HTTPStatus

from market.times import MINUTE
from sim.ledger import Fill, Ledger, Trades
from sim.rest.rest import Address, Answer, json_of

_SPOT, _SWAP = "/api/v3/", "/fapi/v1/"
_HISTORY, _RECENT = "historicalTrades", "trades"
_WEIGHTS = {
    _SPOT + _HISTORY: 25,
    _SPOT + _RECENT: 25,
    _SWAP + _HISTORY: 20,
    _SWAP + _RECENT: 5,
}
_DEFAULT_LIMIT = 500
_GREATEST_LIMIT = 1000
_MILLISECOND = 1_000_000
"""In nanoseconds."""


class BinanceRest:
    """Old and recent trades by id, with the weight that they cost."""

    def __init__(self) -> None:
        """Begin with nothing used."""
        self._minute = 0
        self._used = 0

    def answer(self, address: Address, ledger: Ledger, now: int) -> Answer | None:
        """Read ``/api/v3/historicalTrades?symbol=BTCUSDT&fromId=1&limit=1000`` and its kin."""
        if address.path not in _WEIGHTS:
            return None
        headers = self._charged(_WEIGHTS[address.path], now)
        trades = ledger.of(address.query.get("symbol", ""))
        if trades is None:
            return Answer(_refusal(address), HTTPStatus.BAD_REQUEST, headers)
        shape = _spot if address.path.startswith(_SPOT) else _swap
        return Answer(json_of([shape(fill) for fill in _asked(address, trades)]), headers=headers)

    def _charged(self, weight: int, now: int) -> dict[str, str]:
        minute = now // MINUTE
        self._used = weight + (self._used if minute == self._minute else 0)
        self._minute = minute
        return {"x-mbx-used-weight": str(self._used), "x-mbx-used-weight-1m": str(self._used)}


def _asked(address: Address, trades: Trades) -> list[Fill]:
    limit = min(address.number("limit") or _DEFAULT_LIMIT, _GREATEST_LIMIT)
    first = address.number("fromId") if address.path.endswith(_HISTORY) else None
    return trades.latest(limit) if first is None else trades.history(first, limit)


def _refusal(address: Address) -> bytes:
    if address.query.get("symbol"):
        return json_of({"code": -1121, "msg": "Invalid symbol."})
    mandatory = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
    return json_of({"code": -1102, "msg": mandatory})


def _spot(fill: Fill) -> dict[str, object]:
    return {**_swap(fill), "isBestMatch": True}


def _swap(fill: Fill) -> dict[str, object]:
    return {
        "id": fill.trade_id,
        "price": fill.price,
        "qty": fill.size,
        "quoteQty": f"{Decimal(fill.price) * Decimal(fill.size):.8f}",
        "time": fill.ns // _MILLISECOND,
        "isBuyerMaker": fill.side == "sell",
    }
