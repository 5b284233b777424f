"""Which of a file's columns says what of a trade, and the trade that a row is. No I/O."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from ingest.files.moments import moment, precision
from ingest.venues.checking import positive
from ingest.venues.venue import Reason
from market.errors import InvalidInputError, RefusedTickError
from market.instruments import Instrument, stable_hash
from market.times import floor, is_plausible
from market.trades import Side, Trade

_Value = TypeVar("_Value")

PRECISIONS: Final[Mapping[str, int]] = {"binance": 1000}
"""Microseconds to which keys of an exchange are truncated: the coarsest of its roads."""

_SHOWN: Final = 60
"""Characters of a value that are repeated in a refusal."""

_IDS: Final = 2**63
_LONGEST: Final = 20
"""Digits, and no more, can an id have."""

_WORDS: Final[Mapping[str, str]] = {
    Reason.NOT_A_NUMBER: "is not a number",
    Reason.NOT_A_DOUBLE: "has more digits than a double can hold",
    Reason.NOT_POSITIVE: "is not above zero",
    Reason.IMPLAUSIBLE_TIME: "is no time between 2009 and tomorrow",
}
_SIDES: Final = {
    **dict.fromkeys(("buy", "b", "bid", "1", "+1"), Side.BUY),
    **dict.fromkeys(("sell", "s", "ask", "-1"), Side.SELL),
    **dict.fromkeys(("", "0", "unknown", "null", "none"), Side.UNKNOWN),
}
_TAKERS: Final = {"true": Side.SELL, "1": Side.SELL, "false": Side.BUY, "0": Side.BUY}
"""What the taker did, by whether the buyer was the maker."""

_SEPARATORS: Final = str.maketrans("", "", "/-_: ")
_OTHER_NAMES: Final = {"XBT": "BTC", "XDG": "DOGE"}


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Places in a row, from 0, of what a trade says; ``width`` is how many places a row has."""

    ts: int
    price: int
    size: int
    width: int
    trade_id: int | None = None
    side: int | None = None
    buyer_made: int | None = None
    exchange: int | None = None
    symbol: int | None = None
    received_at: int | None = None


class Row(msgspec.Struct, frozen=True):
    """A trade of a file; ``ordinal`` is its place among its equals where the file tells no ids."""

    trade: Trade
    ordinal: int | None = None


class Layout:
    """Makes trades of one file's rows, given in their order."""

    def __init__(
        self, columns: Columns, instrument: Instrument, exchanges: Mapping[str, str] | None = None
    ) -> None:
        """Read rows of ``instrument``; ``exchanges`` are what a file calls them, where not as we do."""
        self._columns = columns
        self._precision = PRECISIONS.get(instrument.exchange, 1)
        self._exchange = (exchanges or {}).get(_market(instrument), instrument.exchange)
        self._symbols = {plain(instrument.symbol), plain(instrument.venue_symbol)}
        self._named: set[tuple[str, str]] = set()
        self._equals = _Equals()
        self.coarseness = 1
        """Microseconds within which trades without ids cannot be told apart by their time."""

    @property
    def numbered(self) -> bool:
        """Tell whether the file says the venue's own ids."""
        return self._columns.trade_id is not None

    def row(self, fields: Sequence[str], instrument_id: int, received_at: int) -> Row:
        """Return the trade that a row is; raises RefusedTickError, which says what is wrong with it."""
        columns = self._columns
        if len(fields) != columns.width:
            message = f"{len(fields)} fields in place of {columns.width}"
            raise RefusedTickError(message)
        self._demand_instrument(fields)
        ts = floor(_time("time", fields[columns.ts], received_at), self._precision)
        price = _read("price", positive, fields[columns.price])
        size = _read("size", positive, fields[columns.size])
        side = self._side(fields)
        came = columns.received_at
        seen = received_at if came is None else _time("received_at", fields[came], received_at)
        if columns.trade_id is not None:
            number = _read("id", _id, fields[columns.trade_id])
            return Row(Trade(instrument_id, ts, number, price, size, side, seen))
        self.coarseness = max(self.coarseness, precision(fields[columns.ts]), self._precision)
        ordinal = self._equals.place(ts, price, size)
        number = _content_id(ts, price, size, ordinal)
        return Row(Trade(instrument_id, ts, number, price, size, side, seen), ordinal)

    def _side(self, fields: Sequence[str]) -> Side:
        columns = self._columns
        if columns.buyer_made is not None:
            return _read("buyer is maker", _TAKERS.__getitem__, fields[columns.buyer_made].lower())
        if columns.side is None:
            return Side.UNKNOWN
        return _read("side", _SIDES.__getitem__, fields[columns.side].lower())

    def _demand_instrument(self, fields: Sequence[str]) -> None:
        columns = self._columns
        exchange = "" if columns.exchange is None else fields[columns.exchange]
        symbol = "" if columns.symbol is None else fields[columns.symbol]
        if (exchange, symbol) in self._named:
            return
        other_exchange = exchange and exchange != self._exchange
        if other_exchange or (symbol and plain(symbol) not in self._symbols):
            message = (
                f"a trade of {exchange or 'this exchange'} {symbol}".rstrip() + ", which is not asked for"
            )
            raise RefusedTickError(message)
        self._named.add((exchange, symbol))


class _Equals:
    """Counts the trades of one time that are the same in what a file without ids says."""

    def __init__(self) -> None:
        self._ts = 0
        self._seen: Counter[tuple[float, float]] = Counter()

    def place(self, ts: int, price: float, size: float) -> int:
        """Return how many equals came before; raises RefusedTickError for a row that is out of order."""
        if ts < self._ts:
            message = "earlier than the row before it: rows without ids are told apart by their order"
            raise RefusedTickError(message)
        if ts > self._ts:
            self._ts = ts
            self._seen.clear()
        self._seen[price, size] += 1
        return self._seen[price, size] - 1


def named(names: Sequence[str], wanted: Mapping[str, str], **others: int) -> Columns:
    """Return the columns by their names; ``wanted`` says which name stands for what.

    What is not there is left out; raises InvalidInputError where time, price, or size is.
    """
    places = {name.strip().lower(): place for place, name in enumerate(names)}
    found = {what: places[name.lower()] for what, name in wanted.items() if name.lower() in places}
    for what in ("ts", "price", "size"):
        if what not in found:
            message = f"the file has no column {wanted.get(what, what)!r}; it has {', '.join(names)}"
            raise InvalidInputError(message, where="columns")
    return Columns(**found, **others, width=len(names))


def plain(symbol: str) -> str:
    """Return a symbol in one way of writing, to compare."""
    pair = symbol.upper().partition(":")[0]
    for theirs, ours in _OTHER_NAMES.items():
        pair = pair.replace(theirs, ours)
    return pair.translate(_SEPARATORS)


def _market(instrument: Instrument) -> str:
    return f"{instrument.exchange}:{instrument.market}"


def _read(what: str, parse: Callable[[str], _Value], text: str) -> _Value:
    try:
        return parse(text)
    except RefusedTickError as refused:
        raise RefusedTickError(_said(what, text, refused.reason)) from None
    except KeyError:
        message = f"{what} {text[:_SHOWN]!r} is none that is known"
        raise RefusedTickError(message) from None


def _time(what: str, text: str, now: int) -> int:
    ts = _read(what, moment, text)
    if not is_plausible(ts, now):
        raise RefusedTickError(_said(what, text, Reason.IMPLAUSIBLE_TIME))
    return ts


def _said(what: str, text: str, reason: str) -> str:
    return f"{what} {text[:_SHOWN]!r} {_WORDS.get(reason, reason)}"


def _id(text: str) -> int:
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST
    if not is_number or not -_IDS <= int(text) < _IDS:
        reason = "is not a number of 64 bits, as this venue's ids are"
        raise RefusedTickError(reason)
    return int(text)


def _content_id(ts: int, price: float, size: float, ordinal: int) -> int:
    """Return a number below zero, where no venue's are."""
    hashed = stable_hash(f"{ts} {price!r} {size!r} {ordinal}")
    return hashed if hashed < 0 else ~hashed
