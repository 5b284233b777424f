"""What one ingest transaction stored for one shard: the unit of live work."""

from collections.abc import Mapping

import msgspec

from market.ticks import Kind, TapeKey


class Span(msgspec.Struct, frozen=True, array_like=True):
    """The ticks of one kind that a batch stored for one instrument: first and last place, and how many."""

    kind: int
    first_ts: int
    first_id: int
    last_ts: int
    last_id: int
    count: int

    @property
    def first(self) -> TapeKey:
        """Return the place of the earliest tick."""
        return TapeKey(self.first_ts, Kind(self.kind), self.first_id)

    @property
    def last(self) -> TapeKey:
        """Return the place of the latest tick."""
        return TapeKey(self.last_ts, Kind(self.kind), self.last_id)


Listing = dict[int, list[Span]]
"""Spans by instrument_id."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Listing)


class Batch(msgspec.Struct, frozen=True):
    """One row of ``batches``: ``seq`` is the commit order of its ``writer``, ``stored_at`` when it came."""

    shard: int
    writer: int
    seq: int
    listing: Listing
    stored_at: int

    @property
    def ticks(self) -> int:
        """Return how many ticks it lists."""
        return sum(span.count for spans in self.listing.values() for span in spans)


def encode(listing: Mapping[int, list[Span]]) -> bytes:
    """Return the bytes kept in ``batches.listing``."""
    return _encoder.encode(listing)


def decode(data: bytes) -> Listing:
    """Return the listing kept as ``data``; raises msgspec.DecodeError on anything else."""
    return _decoder.decode(data)
