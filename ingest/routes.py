"""Which connections are made, from what was asked for."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit, urlunsplit

import msgspec

from db.instruments import Listed
from ingest.settings import FeedSettings
from ingest.venues.registry import venue
from ingest.venues.venue import Script, Venue
from market.errors import ConfigurationError
from market.instruments import Instrument


class Route(msgspec.Struct, frozen=True):
    """A market of a venue, its instruments, and where it is reached when not at its own addresses."""

    venue: Venue
    instruments: tuple[Instrument, ...]
    stream_base: str | None = None
    rest_base: str | None = None

    @property
    def stream_url(self) -> str:
        """Return the address of the socket."""
        return rebased(self.venue.stream_url(self.instruments[0].market), self.stream_base)

    @property
    def snapshot_urls(self) -> dict[str, str]:
        """Return where books are fetched, by venue symbol."""
        urls = {each.venue_symbol: self.venue.snapshot_url(each) for each in self.instruments}
        return {symbol: rebased(url, self.rest_base) for symbol, url in urls.items() if url}

    @property
    def script(self) -> Script:
        """Return what is said on the socket."""
        renewals = {each.venue_symbol: self.venue.renewal(each) for each in self.instruments}
        return Script(self.venue.subscriptions(self.instruments), renewals)

    def instrument_ids(self, listed: Mapping[str, Listed]) -> dict[str, int]:
        """Return the ids by venue symbol, of instruments listed by key."""
        return {each.venue_symbol: listed[each.key].instrument_id for each in self.instruments}


def routes(feeds: Iterable[FeedSettings]) -> list[Route]:
    """Return one route a venue, market, and address; raises InvalidInputError or ConfigurationError."""
    grouped: dict[tuple[str | None, ...], Route] = {}
    for feed in feeds:
        adapter = venue(feed.venue, feed.protocol)
        for instrument in dict.fromkeys(map(adapter.instrument, feed.symbols)):
            key = (feed.venue, feed.protocol, instrument.market, feed.stream_url, feed.rest_url)
            empty = Route(adapter, (), feed.stream_url, feed.rest_url)
            route = grouped.setdefault(key, empty)
            grouped[key] = msgspec.structs.replace(route, instruments=(*route.instruments, instrument))
    _demand_distinct(grouped.values())
    return list(grouped.values())


def rebased(url: str, base: str | None) -> str:
    """Return ``url`` with the scheme, host, and port of ``base``, if there is one."""
    if base is None:
        return url
    scheme, netloc, *_ = urlsplit(base)
    return urlunsplit((scheme, netloc, *urlsplit(url)[2:]))


def _demand_distinct(found: Iterable[Route]) -> None:
    every = [instrument.key for route in found for instrument in route.instruments]
    if not every:
        message = "nothing to ingest: name feeds in HELIOGRAPH_INGEST_FEEDS"
        raise ConfigurationError(message)
    if twice := {key for key in every if every.count(key) > 1}:
        message = f"{', '.join(sorted(twice))} is named more than once in HELIOGRAPH_INGEST_FEEDS"
        raise ConfigurationError(message)
