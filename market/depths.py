"""The top of an order book."""

import msgspec

from market.ticks import Kind, TapeKey

LEVELS = 10
"""How many levels a side a depth keeps at most."""


class Depth(msgspec.Struct, frozen=True):
    """The best levels of a valid book after one update, best first; the four sides are equally ordered."""

    instrument_id: int
    ts: int
    update_id: int
    bid_prices: tuple[float, ...]
    bid_sizes: tuple[float, ...]
    ask_prices: tuple[float, ...]
    ask_sizes: tuple[float, ...]
    received_at: int

    @property
    def tape_key(self) -> TapeKey:
        """Return where this depth stands on its tape."""
        return TapeKey(self.ts, Kind.DEPTH, self.update_id)
