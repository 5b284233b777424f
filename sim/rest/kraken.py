"""Trades of Kraken spot.

https://docs.kraken.com/api-reference/market-data/get-recent-trades

Times are nanoseconds in ``since`` and ``last``, and seconds in the rows, as a double: its last digits are
not those that the socket truncates to microseconds, so a trade may be a microsecond off.
"""

from sim.ledger import Fill, Ledger, Trades
from sim.rest.rest import Address
from sim.symbols import from_kraken
from sim.wire.http import Answer, json_of

_PATH = "/0/public/Trades"
_GREATEST_COUNT = 1000
_SECOND = 1_000_000_000
"""In nanoseconds."""

_SECONDS_BELOW = 10**12
"""A ``since`` below it is in seconds."""

_OLD_NAMES = {"BTC": "XXBT", "ETH": "XETH", "XRP": "XXRP", "LTC": "XLTC", "DOGE": "XXDG"}
_OLD_QUOTES = {"USD": "ZUSD", "EUR": "ZEUR", "GBP": "ZGBP", "JPY": "ZJPY", "CAD": "ZCAD"}
_PRICE_DECIMALS = 5
_SIZE_DECIMALS = 8
_PATIENCE = 3
"""Refusals before the other error is told."""


class KrakenRest:
    """Trades since a time, the oldest first."""

    def __init__(self) -> None:
        """Begin with nothing refused."""
        self._refusals = 0

    def answer(self, address: Address, ledger: Ledger, now: int) -> Answer | None:  # noqa: ARG002
        """Read ``/0/public/Trades?pair=XBTUSD&since=1688671969993150842&count=1000``."""
        if address.path != _PATH:
            return None
        asked = _letters(address.query.get("pair", ""))
        symbol = next((each for each in ledger.symbols if asked in _names(each)), "")
        trades = ledger.of(symbol)
        if trades is None:
            return Answer(json_of({"error": ["EQuery:Unknown asset pair"]}))
        page, last = _page(address, trades)
        rows = [_row(fill) for fill in page]
        return Answer(json_of({"error": [], "result": {_key(symbol): rows, "last": str(last)}}))

    def limited(self, now: int) -> Answer:  # noqa: ARG002
        """Refuse with an error in an answer that is otherwise well; when asked on, with the other one."""
        self._refusals += 1
        many = self._refusals % (2 * _PATIENCE) >= _PATIENCE
        error = "EGeneral:Too many requests" if many else "EAPI:Rate limit exceeded"
        return Answer(json_of({"error": [error]}))


def _page(address: Address, trades: Trades) -> tuple[list[Fill], int]:
    """Return the trades and the time to go on from."""
    count = min(address.number("count") or _GREATEST_COUNT, _GREATEST_COUNT)
    since = address.number("since")
    if since is None:
        page = trades.latest(count)
    else:
        since *= _SECOND if since < _SECONDS_BELOW else 1
        page = trades.since(since, count)
    return page, page[-1].ns if page else since or 0


def _row(fill: Fill) -> list[object]:
    row = [
        _padded(fill.price, _PRICE_DECIMALS),
        _padded(fill.size, _SIZE_DECIMALS),
        fill.ns / _SECOND,
        fill.side[0],
        "m",
        "",
    ]
    return row if fill.trade_id is None else [*row, fill.trade_id]


def _padded(text: str, decimals: int) -> str:
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(decimals, '0')}"


def _names(symbol: str) -> set[str]:
    """Return every way to ask for BTC/USD: BTCUSD, XBTUSD, XXBTZUSD."""
    return {_letters(symbol), _letters(from_kraken(symbol)), _key(symbol), _key(symbol).removeprefix("X")} | {
        _letters(from_kraken(symbol)).replace("BTC", "XBT").replace("DOGE", "XDG")
    }


def _key(symbol: str) -> str:
    """Return the name under which trades are answered: XXBTZUSD, SOLUSD."""
    base, _, quote = from_kraken(symbol).partition("/")
    if base in _OLD_NAMES and quote in _OLD_QUOTES:
        return _OLD_NAMES[base] + _OLD_QUOTES[quote]
    return base + quote


def _letters(symbol: str) -> str:
    return "".join(filter(str.isalnum, symbol)).upper()
