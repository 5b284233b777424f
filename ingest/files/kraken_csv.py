"""Kraken's own files of trades: whole seconds, price, volume; no ids, no sides.

Docs: https://support.kraken.com/articles/360047543791-downloadable-historical-market-data-time-and-sales-
"""

from collections.abc import Sequence
from typing import Final

from ingest.files.layouts import Columns, Layout
from market.errors import InvalidInputError
from market.instruments import Instrument

_WIDTH: Final = 3


def layout(names: Sequence[str] | None, first: Sequence[str], instrument: Instrument) -> Layout:
    """Return the layout of ``time,price,volume``; raises InvalidInputError for a file of anything else."""
    if instrument.exchange != "kraken":
        message = f"kraken's files have no trades of {instrument.exchange}"
        raise InvalidInputError(message, where="venue")
    if len(first) != _WIDTH or names is not None:
        message = "the file's rows are not time,price,volume, without a line of names"
        raise InvalidInputError(message, where="format")
    return Layout(Columns(ts=0, price=1, size=2, width=_WIDTH), instrument)
