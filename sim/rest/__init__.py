"""The exchanges' own REST, as far as an ingester needs it: history and books."""

from sim.rest.binance import BinanceRest
from sim.rest.rest import VenueRest

_VENUES: dict[str, type[VenueRest]] = {"binance": BinanceRest}


def named(name: str) -> VenueRest | None:
    """Return a fresh REST of the venue; None where it has none."""
    made = _VENUES.get(name)
    return made() if made else None
