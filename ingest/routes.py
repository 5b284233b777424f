"""Which connection carries a feed."""

from typing import Self
from urllib.parse import urlsplit, urlunsplit

import msgspec

from db.feeds import WantedFeed
from ingest.naming import instrument_named
from ingest.venues.registry import venue
from ingest.venues.venue import Venue
from market.instruments import Instrument, Market


class Route(msgspec.Struct, frozen=True):
    """A market of a venue, and where it is reached when not at its own addresses."""

    exchange: str
    market: Market
    protocol: str | None = None
    stream_base: str | None = None
    rest_base: str | None = None

    @classmethod
    def of(cls, feed: WantedFeed) -> Self:
        """Return the route of a feed; raises what ``instrument_named`` raises."""
        market = instrument_named(feed.exchange, feed.symbol, feed.protocol).market
        return cls(feed.exchange, market, feed.protocol, feed.stream_url, feed.rest_url)

    @property
    def venue(self) -> Venue:
        """Return the adapter."""
        return venue(self.exchange, self.protocol)

    @property
    def stream_url(self) -> str:
        """Return the preferred address of the socket."""
        return self.stream_urls[0]

    @property
    def stream_urls(self) -> tuple[str, ...]:
        """Return the addresses of the socket, to be tried in turn."""
        urls = self.venue.stream_urls(self.market)
        return tuple(dict.fromkeys(rebased(url, self.stream_base) for url in urls))

    def snapshot_url(self, instrument: Instrument) -> str | None:
        """Return where a book is fetched; None where the socket itself sends it."""
        url = self.venue.snapshot_url(instrument)
        return None if url is None else rebased(url, self.rest_base)


def rebased(url: str, base: str | None) -> str:
    """Return ``url`` with the scheme, host, and port of ``base``, if there is one."""
    if base is None:
        return url
    scheme, netloc, *_ = urlsplit(base)
    return urlunsplit((scheme, netloc, *urlsplit(url)[2:]))
