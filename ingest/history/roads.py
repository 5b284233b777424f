"""How a chunk's trades are reached: the venue's history, its hosts, and the name it has there."""

import msgspec

from db.chunks import Chunk
from ingest.history.pasts import Past
from ingest.outbound.budgets import Lane
from ingest.outbound.outbound import Call
from ingest.venues.histories import history
from ingest.venues.history import History, Stretch
from ingest.venues.reach import Reach, reach
from ingest.venues.registry import venue
from market.gaps import Gap
from market.instruments import Instrument


class Road(msgspec.Struct, frozen=True):
    """The road of one chunk."""

    history: History
    reach: Reach
    base: str | None

    def call(self, stretch: Stretch, position: str) -> Call:
        """Return how the page at a position is asked for."""
        return Call(
            reach=self.reach,
            request=self.history.request(stretch, position),
            lane=Lane.HISTORY,
            base=self.base,
            judge=self.history.judge,
        )


def road(chunk: Chunk, binance_api_key: str) -> Road | None:
    """Return the road of a chunk; None where what a venue remembers cannot be told from what is stored."""
    instrument = venue(chunk.exchange, chunk.protocol).instrument(chunk.symbol)
    return road_of(instrument, chunk.protocol, chunk.rest_url, binance_api_key)


def road_of(
    instrument: Instrument, protocol: str | None, rest_url: str | None, binance_api_key: str
) -> Road | None:
    """Return the road of an instrument; ``rest_url`` stands in for the venue's own hosts."""
    found = history(instrument.exchange, instrument.market, protocol, binance_api_key)
    return Road(found, reach(instrument.exchange, instrument.market), rest_url) if found else None


def stretch(chunk: Chunk, known: Gap | Past | None) -> Stretch:
    """Return what is looked for: what is known of its bounds by now, or the chunk where nothing is."""
    bounds = known or chunk
    return Stretch(
        instrument_id=chunk.instrument_id,
        venue_symbol=venue(chunk.exchange, chunk.protocol).instrument(chunk.symbol).venue_symbol,
        from_ts=bounds.from_ts,
        to_ts=bounds.to_ts,
        after_id=known.after_id if known else None,
        before_id=known.before_id if known else None,
    )
