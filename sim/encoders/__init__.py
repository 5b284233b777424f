"""How each venue says what happens at a made-up market."""

from market.errors import UnknownVenueError
from sim.encoders.binance import BinanceEncoder
from sim.encoders.coinbase import CoinbaseEncoder
from sim.encoders.encoder import Encoder
from sim.encoders.kraken import KrakenEncoder

_VENUES: dict[str, type[Encoder]] = {
    "binance": BinanceEncoder,
    "coinbase": CoinbaseEncoder,
    "kraken": KrakenEncoder,
}


def named(name: str) -> type[Encoder]:
    """Return the encoder of a venue; raises UnknownVenueError."""
    if name in _VENUES:
        return _VENUES[name]
    message = f"no market can be made up at {name!r}; choose one of {', '.join(_VENUES)}"
    raise UnknownVenueError(message)
