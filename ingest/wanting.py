"""Feeds as the environment names them."""

from collections.abc import Iterable

from db.feeds import WantedFeed
from ingest.naming import instrument_named
from ingest.settings import FeedSettings
from market.errors import ConfigurationError


def wanted(settings: Iterable[FeedSettings]) -> list[WantedFeed]:
    """Return one feed a symbol; raises InvalidInputError or ConfigurationError."""
    found = [feed for one in settings for feed in _feeds(one)]
    names = [feed.name for feed in found]
    if twice := {str(name) for name in names if names.count(name) > 1}:
        message = f"{', '.join(sorted(twice))} is named more than once in HELIOGRAPH_INGEST_FEEDS"
        raise ConfigurationError(message)
    return found


def _feeds(settings: FeedSettings) -> list[WantedFeed]:
    symbols = [
        instrument_named(settings.venue, each, settings.protocol).symbol
        for each in dict.fromkeys(settings.symbols)
    ]
    return [
        WantedFeed(
            exchange=settings.venue,
            symbol=symbol,
            protocol=settings.protocol,
            stream_url=settings.stream_url,
            rest_url=settings.rest_url,
        )
        for symbol in symbols
    ]
