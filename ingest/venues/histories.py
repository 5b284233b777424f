"""The roads back that there are."""

from collections.abc import Mapping
from typing import Final

from ingest.venues.binance_history import BinanceHistory
from ingest.venues.coinbase_history import CoinbaseHistory
from ingest.venues.history import History
from ingest.venues.kraken_history import KrakenHistory
from market.instruments import Market

TOLERANCES: Final[Mapping[str, int]] = {"kraken": KrakenHistory.tolerance}
"""By how many microseconds history and socket tell one trade apart, of those that do not agree."""


def history(exchange: str, market: Market, protocol: str | None = None, api_key: str = "") -> History | None:
    """Return a venue's history; None where no trade of it can be told from those that are stored.

    That is so of Kraken's first protocol: its trades have no ids.
    """
    match exchange, protocol:
        case "binance", _:
            return BinanceHistory(market, api_key)
        case "coinbase", _:
            return CoinbaseHistory()
        case "kraken", None | "v2":
            return KrakenHistory()
    return None
