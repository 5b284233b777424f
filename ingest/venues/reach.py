"""How a venue may be reached: its REST hosts, and how often it lets itself be asked. No I/O.

Limits lie a little below what the venues document, in their own measure, for one address:

- https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-api-information: 6,000 a
  minute, over all hosts; 300 connections in 5 minutes.
- https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info: 2,400 a minute.
- https://docs.cdp.coinbase.com/exchange/rest-api/rate-limits: 10 a second, 15 in a burst;
  sockets: 8 a second.
- https://docs.kraken.com/api/docs/guides/spot-rest-ratelimits: about one a second; sockets: about 150 in
  10 minutes.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from market.instruments import Market


class Limit(msgspec.Struct, frozen=True):
    """A budget by its name: ``burst`` at once, and ``per_second`` in the long run."""

    name: str
    burst: float
    per_second: float


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """The REST hosts of a market, the first one preferred, and the budgets for asking and for connecting.

    ``snapshot_weight`` is what a book costs; 0 where books come on the socket.
    """

    hosts: tuple[str, ...]
    requests: Limit
    connections: Limit
    snapshot_weight: int = 0


_REACHES: Final[Mapping[tuple[str, Market], Reach]] = {
    ("binance", Market.SPOT): Reach(
        hosts=(
            "https://api.binance.com",
            "https://api1.binance.com",
            "https://api2.binance.com",
            "https://api3.binance.com",
            "https://api4.binance.com",
            "https://data-api.binance.vision",
        ),
        requests=Limit("binance:spot", 1000, 80),
        connections=Limit("binance:spot:connections", 50, 0.8),
        snapshot_weight=50,
    ),
    ("binance", Market.SWAP): Reach(
        hosts=("https://fapi.binance.com",),
        requests=Limit("binance:swap", 400, 30),
        connections=Limit("binance:swap:connections", 50, 0.8),
        snapshot_weight=20,
    ),
    ("coinbase", Market.SPOT): Reach(
        hosts=("https://api.exchange.coinbase.com",),
        requests=Limit("coinbase:spot", 5, 8),
        connections=Limit("coinbase:spot:connections", 4, 4),
    ),
    ("kraken", Market.SPOT): Reach(
        hosts=("https://api.kraken.com",),
        requests=Limit("kraken:spot", 2, 0.9),
        connections=Limit("kraken:spot:connections", 30, 0.2),
    ),
}


def reach(exchange: str, market: Market) -> Reach:
    """Return how a market of a venue may be reached."""
    return _REACHES[exchange, market]
