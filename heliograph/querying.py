"""``heliograph query``: history, printed as it is read."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from heliograph.tailing import client_at, failure
from heliograph_client import Client, ClientError, History
from market.errors import InvalidInputError


class Noun(StrEnum):
    """What can be asked for."""

    BARS = "bars"
    TRADES = "trades"
    QUOTES = "quotes"
    SIGNALS = "signals"
    INDICATORS = "indicators"
    GAPS = "gaps"
    INSTRUMENTS = "instruments"


class Asked(NamedTuple):
    """What is asked: a noun, whose, and of what range; ``kinds`` and ``interval`` where there are such."""

    noun: Noun
    exchange: str | None
    symbol: str | None
    interval: str
    kinds: Sequence[str]
    since: str | None
    until: str | None
    last: str | None
    newest_first: bool
    limit: int | None


_TICKS = ("ts", "exchange", "symbol")
_COLUMNS: Final[Mapping[Noun, tuple[str, ...]]] = {
    Noun.BARS: ("start", "open", "high", "low", "close", "volume", "trades", "coverage"),
    Noun.TRADES: (*_TICKS, "trade_id", "side", "price", "size"),
    Noun.QUOTES: (*_TICKS, "bid_price", "bid_size", "ask_price", "ask_size"),
    Noun.SIGNALS: (*_TICKS, "kind", "direction", "strength", "confidence", "price", "coverage"),
    Noun.INDICATORS: (*_TICKS, "kind", "values", "confidence", "coverage"),
    Noun.GAPS: ("from_ts", "to_ts", "exchange", "symbol", "kind", "cause", "state"),
    Noun.INSTRUMENTS: ("exchange", "symbol", "venue_symbol", "market", "size_unit"),
}


def query(asked: Asked, url: str | None, data_dir: Path | None, *, as_json: bool) -> None:
    """Print rows as they come: a table, or a line of JSON each."""
    try:
        history = _history(client_at(url, data_dir), asked)
        lines = history.texts() if as_json else _table(history, _COLUMNS[asked.noun])
        for line in lines:
            sys.stdout.write(f"{line}\n")
    except ClientError as error:
        raise failure(error) from error


def _history(client: Client, asked: Asked) -> History[Any]:
    if asked.noun is Noun.INSTRUMENTS:
        return client.instruments(asked.exchange)
    part: dict[str, Any] = {
        "since": asked.since,
        "until": asked.until,
        "last": asked.last,
        "newest_first": asked.newest_first,
        "limit": asked.limit,
    }
    if asked.noun is Noun.BARS:
        return client.bars(*_whose(asked), asked.interval, **part)
    if asked.noun in (Noun.SIGNALS, Noun.INDICATORS):
        part["kinds"] = asked.kinds
    read: Callable[..., History[Any]] = getattr(client, asked.noun)
    return read(asked.exchange, asked.symbol, **part)


def _whose(asked: Asked) -> tuple[str, str]:
    if asked.exchange is None or asked.symbol is None:
        message = f"{asked.noun} of what? Say it like: heliograph query {asked.noun} kraken SOL/USD"
        raise InvalidInputError(message)
    return asked.exchange, asked.symbol


def _table(history: History[Any], names: Sequence[str]) -> Iterator[str]:
    """Yield a heading and rows, each page with columns as wide as its widest cell, or the last page's."""
    widths = [len(name) for name in names]
    heading = [list(names)]
    for page in history.pages():
        rows = [[_cell(getattr(row, name)) for name in names] for row in page]
        columns = zip(*rows, strict=True) if rows else ([] for _ in names)
        widths = [max([width, *map(len, column)]) for width, column in zip(widths, columns, strict=True)]
        yield from (_line(row, widths) for row in heading + rows)
        heading = []


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cell(value: object) -> str:
    match value:
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        case dict():
            return ", ".join(f"{name} {number:g}" for name, number in value.items())
        case float():
            return f"{value:.12g}"
        case None:
            return ""
        case _:
            return str(value)
