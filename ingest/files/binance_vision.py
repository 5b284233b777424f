"""Trade files of data.binance.vision; those of spot tell microseconds since 2025.

Docs: https://github.com/binance/binance-public-data#trades
"""

from collections.abc import Sequence
from typing import Final

from ingest.files.layouts import Columns, Layout, named
from market.errors import InvalidInputError
from market.instruments import Instrument

AGGREGATED: Final = (
    "the file holds aggregated trades: their ids number other things than those of trades do, so they can "
    "neither be told from trades that are stored nor be mixed with them; take the file of the same day from "
    "data.binance.vision's folder `trades` in place of `aggTrades`, or backfill the range by REST"
)
_NAMES: Final = {
    "ts": "time",
    "price": "price",
    "size": "qty",
    "trade_id": "id",
    "buyer_made": "is_buyer_maker",
}
_OF_AGGREGATES: Final = {"agg_trade_id", "first_trade_id", "last_trade_id"}
_WIDTHS: Final = (6, 7)
_BUYER_MADE: Final = 5
_BOOLEANS: Final = ("true", "false")


def layout(names: Sequence[str] | None, first: Sequence[str], instrument: Instrument) -> Layout:
    """Return the layout of ``id,price,qty,quote_qty,time,is_buyer_maker[,is_best_match]``.

    Raises InvalidInputError for a file of anything else, and of another exchange.
    """
    if instrument.exchange != "binance":
        message = f"files of data.binance.vision have no trades of {instrument.exchange}"
        raise InvalidInputError(message, where="venue")
    if names is not None:
        demand_single(names)
        return Layout(named(names, _NAMES), instrument)
    if len(first) > _BUYER_MADE and first[_BUYER_MADE].isdecimal():
        raise InvalidInputError(AGGREGATED, where="file")
    if len(first) not in _WIDTHS or first[_BUYER_MADE].lower() not in _BOOLEANS:
        message = "the file's rows are not id,price,qty,quote_qty,time,is_buyer_maker[,is_best_match]"
        raise InvalidInputError(message, where="format")
    columns = Columns(trade_id=0, price=1, size=2, ts=4, buyer_made=_BUYER_MADE, width=len(first))
    return Layout(columns, instrument)


def demand_single(names: Sequence[str]) -> None:
    """Raise InvalidInputError for names of a file of aggregates."""
    if _OF_AGGREGATES & {name.strip().lower() for name in names}:
        raise InvalidInputError(AGGREGATED, where="file")
