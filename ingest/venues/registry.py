"""The venues that there are."""

from collections.abc import Callable, Mapping
from typing import Final

from ingest.venues.binance import Binance
from ingest.venues.coinbase import Coinbase
from ingest.venues.kraken import Kraken
from ingest.venues.kraken_v1 import KrakenV1
from ingest.venues.venue import Venue
from market.errors import ConfigurationError, UnknownVenueError

_VENUES: Final[Mapping[str, Mapping[str | None, Callable[[], Venue]]]] = {
    Binance.name: {None: Binance},
    Coinbase.name: {None: Coinbase},
    Kraken.name: {None: Kraken, "v2": Kraken, "v1": KrakenV1},
}
"""By name and version of the protocol; None is the newest."""

NAMES: Final = tuple(sorted(_VENUES))


def venue(name: str, protocol: str | None = None) -> Venue:
    """Return the adapter of a venue; raises UnknownVenueError, or ConfigurationError for its protocol."""
    if name not in _VENUES:
        message = f"no adapter for venue {name!r}; there are: {', '.join(NAMES)}"
        raise UnknownVenueError(message)
    if protocol not in _VENUES[name]:
        message = f"venue {name!r} has no protocol {protocol!r}; leave it out for the newest"
        raise ConfigurationError(message)
    return _VENUES[name][protocol]()
