"""What the decoders of all venues share: trades, quotes, and the books of one connection. No I/O."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import msgspec

from ingest.books import Top
from ingest.standings import Books
from ingest.venues.checking import VenueClock, depth
from ingest.venues.venue import DEPTHS, NOTHING, Decoded
from market.quotes import Quote
from market.trades import Trade


class VenueDecoder(ABC):
    """Tells beside what a frame says which books it made invalid."""

    def __init__(self, instruments: Mapping[str, int], books: Books | None = None) -> None:
        self._instruments: dict[str, int] = {}
        self._clock = VenueClock()
        self._standings = books or Books()
        for venue_symbol, instrument_id in instruments.items():
            self.learn(venue_symbol, instrument_id)

    def learn(self, venue_symbol: str, instrument_id: int) -> None:
        """Understand one more instrument."""
        self._instruments[venue_symbol] = instrument_id
        self._clock.learn(instrument_id)
        self._standings.learn(instrument_id)

    def forget(self, venue_symbol: str) -> Decoded:
        """Tell no more how an instrument's time passes, nor how its book stands; its ticks are understood."""
        instrument_id = self._instruments[venue_symbol]
        self._clock.forget(instrument_id)
        self._standings.forget(instrument_id)
        return NOTHING

    def decode(self, raw: bytes, received_at: int) -> Decoded:
        """Return what a frame says; raises DecodeError when it is none of this venue's frames."""
        return self._with_broken(self._decode(raw, received_at))

    def close(self) -> Decoded:
        """Give the books up."""
        self._standings.close()
        return Decoded(broken=self._standings.take_broken())

    @abstractmethod
    def _decode(self, raw: bytes, received_at: int) -> Decoded:
        """Return what a frame says."""

    def _with_broken(self, decoded: Decoded) -> Decoded:
        broken = self._standings.take_broken()
        return msgspec.structs.replace(decoded, broken=broken) if broken else decoded

    def _traded(self, trade: Trade) -> Decoded:
        self._clock.traded(trade.instrument_id, trade.ts)
        return Decoded(trades=(trade,), watermarks=self._clock.watermarks(trade.received_at))

    def _quoted(self, quote: Quote) -> Decoded:
        return Decoded(quotes=(quote,), watermarks=self._clock.watermarks(quote.received_at))

    def _told(self, instrument_id: int, ts: int, update_id: int, top: Top, received_at: int) -> Decoded:
        """Return the top of a valid book as a depth when one is due; raises RefusedTickError."""
        watermarks = self._clock.watermarks(received_at)
        if not self._standings.due(instrument_id, ts, top):
            return Decoded(conflated={DEPTHS: 1}, watermarks=watermarks)
        tick = depth(instrument_id, ts, update_id, top, received_at)
        self._standings.wrote(instrument_id, ts, top)
        return Decoded(depths=(tick,), watermarks=watermarks)
