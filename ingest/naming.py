"""Whether a feed that is asked for can be, said before anybody listens. No I/O."""

from contextlib import suppress
from typing import Final

from ingest.venues import registry
from ingest.venues.venue import Venue
from market.errors import ConfigurationError, InvalidInputError, UnknownVenueError
from market.instruments import Instrument
from market.nearest import suggestion

_SEPARATORS: Final = ("-", "_", " ")
_QUOTES: Final = ("USDT", "USDC", "USD", "EUR", "GBP", "BTC", "ETH")
"""What a symbol without any separator may end with."""


def instrument_named(exchange: str, symbol: str, protocol: str | None = None) -> Instrument:
    """Return the instrument; raises UnknownVenueError, InvalidInputError, or ConfigurationError.

    Whether the venue lists it today, the venue alone knows: it refuses, and the feed is closed.
    """
    adapter = _venue(exchange, protocol)
    try:
        return adapter.instrument(symbol)
    except InvalidInputError as error:
        meant = _meant(adapter, symbol)
        if meant is None:
            raise
        message = f"{error}; did you mean {meant}?"
        raise InvalidInputError(message) from error


def _venue(exchange: str, protocol: str | None) -> Venue:
    try:
        return registry.venue(exchange, protocol)
    except (UnknownVenueError, ConfigurationError) as error:
        near = suggestion(exchange, registry.NAMES)
        if isinstance(error, ConfigurationError) or not near:
            raise
        message = f"{error}; {near}"
        raise UnknownVenueError(message) from error


def _meant(adapter: Venue, symbol: str) -> str | None:
    """Return the symbol in our words that was probably meant, if the venue can have it."""
    guess = symbol.upper()
    for separator in _SEPARATORS:
        guess = guess.replace(separator, "/")
    if "/" not in guess:
        quote = next((each for each in _QUOTES if guess.endswith(each) and guess != each), "")
        guess = f"{guess.removesuffix(quote)}/{quote}"
    pair, _, settled_in = guess.partition(":")
    guesses = (guess, pair) if pair.endswith(f"/{settled_in}") else (guess,)
    for each in guesses:
        with suppress(InvalidInputError):
            return adapter.instrument(each).symbol
    return None
