"""What venues share that say everything on one socket, the snapshots of their books too. No I/O."""

from collections.abc import Mapping
from typing import ClassVar

from ingest.venues.checking import VenueClock
from ingest.venues.venue import NOTHING, Decoded
from market.errors import DecodeError
from market.instruments import Instrument, Market


class OneSocket:
    """The part of an adapter that says where."""

    url: ClassVar[str]

    def stream_url(self, market: Market) -> str:  # noqa: ARG002 - there is one
        """Return the address of the one socket."""
        return self.url

    def snapshot_url(self, instrument: Instrument) -> str | None:  # noqa: ARG002 - for none
        """Return None: snapshots come on the socket."""
        return None


class OneSocketDecoder:
    """The part of a decoder that fetches nothing and keeps nothing waiting."""

    exchange: ClassVar[str]

    def __init__(self, instruments: Mapping[str, int]) -> None:
        self._instruments = instruments
        self._clock = VenueClock(instruments.values())

    def snapshot(self, venue_symbol: str, body: bytes, received_at: int) -> Decoded:
        """Raise DecodeError: books come on the socket."""
        size = len(body)
        message = f"{self.exchange}: no book of {venue_symbol} was asked for ({size} bytes at {received_at})"
        raise DecodeError(message)

    def close(self) -> Decoded:
        """Return nothing: nothing waits."""
        return NOTHING
