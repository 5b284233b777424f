"""Trades of Binance spot and USD-M.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Old-Trades-Lookup
"""

from decimal import Decimal
from http import HTTPStatus

from market.times import MINUTE, SECOND
from sim.ledger import Fill, Ledger, Trades
from sim.rest.rest import Address
from sim.wire.http import Answer, json_of

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
_NANOSECONDS = 1_000_000
"""In a millisecond."""

_MILLISECOND = 1_000
"""In microseconds."""

_PATIENCE = 3
"""Requests refused within a minute before there is a ban."""

_WARNING = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."
_BAN = "Way too much request weight used; IP banned until {}."


class BinanceRest:
    """Old and recent trades by id, with the weight that they cost."""

    def __init__(self) -> None:
        """Begin with nothing used."""
        self._minute = 0
        self._used = 0
        self._refusals = 0
        self._refused_at = 0

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

    def limited(self, now: int) -> Answer:
        """Refuse with 429; who goes on asking within a minute is banned with 418, each time for longer."""
        self._refusals = 1 + (self._refusals if now - self._refused_at < MINUTE else 0)
        self._refused_at = now
        if self._refusals <= _PATIENCE:
            return Answer(_too_much(_WARNING), HTTPStatus.TOO_MANY_REQUESTS, {"retry-after": "1"})
        seconds = 2 * (self._refusals - _PATIENCE)
        banned = _BAN.format((now + seconds * SECOND) // _MILLISECOND)
        return Answer(_too_much(banned), HTTPStatus.IM_A_TEAPOT, {"retry-after": str(seconds)})

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


def _too_much(message: str) -> bytes:
    return json_of({"code": -1003, "msg": message})


def _spot(fill: Fill) -> dict[str, object]:
    return {**_swap(fill), "isBestMatch": True}


def _swap(fill: Fill) -> dict[str, object]:
    return {
        "id": fill.trade_id,
        "price": fill.price,
        "qty": fill.size,
        "quoteQty": f"{Decimal(fill.price) * Decimal(fill.size):.8f}",
        "time": fill.ns // _NANOSECONDS,
        "isBuyerMaker": fill.side == "sell",
    }
