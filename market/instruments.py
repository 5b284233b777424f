"""What has a tape, a shard, and streams."""

from enum import StrEnum
from hashlib import blake2b

import msgspec


class Market(StrEnum):
    """How an instrument settles. Spot and swap may share a venue's raw symbol."""

    SPOT = "spot"
    SWAP = "swap"


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument in our words and the venue's.

    ``symbol`` is ``BASE/QUOTE`` for spot and ``BASE/QUOTE:SETTLE`` for a swap;
    ``venue_symbol`` is what the venue's own frames say. One contract is ``contract_size``
    units of ``size_unit``.
    """

    exchange: str
    symbol: str
    venue_symbol: str
    market: Market
    base: str
    quote: str
    contract_size: float = 1.0
    size_unit: str

    @property
    def key(self) -> str:
        """Return the name that is unique over all venues: ``kraken:SOL/USD``."""
        return f"{self.exchange}:{self.symbol}"


def spot(exchange: str, base: str, quote: str, venue_symbol: str) -> Instrument:
    """Return a spot instrument; its size counts units of the base."""
    return Instrument(
        exchange=exchange,
        symbol=f"{base}/{quote}",
        venue_symbol=venue_symbol,
        market=Market.SPOT,
        base=base,
        quote=quote,
        size_unit=base,
    )


def swap(exchange: str, base: str, quote: str, venue_symbol: str) -> Instrument:
    """Return a linear perpetual swap that settles in its quote; its size counts units of the base."""
    return Instrument(
        exchange=exchange,
        symbol=f"{base}/{quote}:{quote}",
        venue_symbol=venue_symbol,
        market=Market.SWAP,
        base=base,
        quote=quote,
        size_unit=base,
    )


def stable_hash(text: str) -> int:
    """Return a signed 64-bit hash that is the same in every process and version (BLAKE2b)."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def shard_of(key: str, shards: int) -> int:
    """Return the shard, ``0..shards-1``, that orders the instrument named ``key``."""
    return stable_hash(key) % shards
