"""The exchanges' own REST, as far as an ingester needs it: history and books."""

from sim.rest.binance import BinanceRest
from sim.rest.coinbase import CoinbaseRest
from sim.rest.kraken import KrakenRest
from sim.rest.rest import VenueRest

_VENUES: dict[str, type[VenueRest]] = {
    "binance": BinanceRest,
    "coinbase": CoinbaseRest,
    "kraken": KrakenRest,
}


def named(name: str) -> VenueRest:
    """Return a fresh REST of a venue that can be simulated."""
    return _VENUES[name]()
