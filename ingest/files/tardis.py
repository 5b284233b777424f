"""Trade files of tardis.dev: microseconds, the taker's side, and the venue's own ids where it tells them.

Docs: https://docs.tardis.dev/downloadable-csv-files/data-types#trades
"""

from collections.abc import Sequence
from typing import Final

from ingest.files.layouts import Layout, named
from market.errors import InvalidInputError
from market.instruments import Instrument

_NAMES: Final = {
    "ts": "timestamp",
    "price": "price",
    "size": "amount",
    "trade_id": "id",
    "side": "side",
    "exchange": "exchange",
    "symbol": "symbol",
}
_EXCHANGES: Final = {"binance:swap": "binance-futures"}
_ID: Final = "id"


def layout(names: Sequence[str] | None, first: Sequence[str], instrument: Instrument) -> Layout:
    """Return the layout of ``exchange,symbol,timestamp,local_timestamp,id,side,price,amount``."""
    if names is None:
        message = "files of tardis.dev begin with a line that names their columns; this one does not"
        raise InvalidInputError(message, where="format")
    wanted = dict(_NAMES)
    if _ID in names and len(first) == len(names) and not first[list(names).index(_ID)]:
        del wanted["trade_id"]  # the venue told none
    return Layout(named(names, wanted), instrument, _EXCHANGES)
