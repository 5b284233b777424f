"""The exchanges' own protocols, as a server speaks them."""

from market.errors import UnknownVenueError
from sim.protocols.binance import Binance
from sim.protocols.coinbase import Coinbase
from sim.protocols.kraken import Kraken
from sim.protocols.protocol import VenueProtocol

_VENUES: tuple[VenueProtocol, ...] = (Binance(), Coinbase(), Kraken())

NAMES = tuple(venue.name for venue in _VENUES)
"""Every venue that can be simulated."""


def named(name: str) -> VenueProtocol:
    """Return the protocol of the venue; raises UnknownVenueError."""
    for venue in _VENUES:
        if venue.name == name:
            return venue
    message = f"no venue {name!r} can be simulated; choose one of {', '.join(NAMES)}"
    raise UnknownVenueError(message)
