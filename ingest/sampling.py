"""Which updates of a book are written: one a slot of event time, and at once on a large change."""

from math import fsum
from typing import Final

import msgspec

from ingest.books import Top
from market.times import SECOND

_BASIS_POINTS: Final = 10_000
_RATIO_LEVELS: Final = 5
"""As many as the pressure of the book is measured on."""


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How often. By the venue's time alone, so that the same updates give the same rows.

    ``price_bps``: a best price that moved further than that is written at once; so is a ratio of bids
    to asks that became ``ratio`` times what it was, or that part of it.
    """

    slot_seconds: float = 0.1
    price_bps: float = 5.0
    ratio: float = 1.5


EVERY: Final = Sampling(slot_seconds=0.0)
"""Write every update."""


class Sampler:
    """Chooses among the updates of one book, by what was last written."""

    def __init__(self, sampling: Sampling) -> None:
        self._slot = round(sampling.slot_seconds * SECOND)
        self._price_change = sampling.price_bps / _BASIS_POINTS
        self._ratio = sampling.ratio
        self._last_slot = -1
        self._last: Top | None = None

    def due(self, ts: int, top: Top) -> bool:
        """Tell whether a book that looks so at ``ts`` is written."""
        return not self._slot or self._last is None or ts // self._slot > self._last_slot or self._large(top)

    def wrote(self, ts: int, top: Top) -> None:
        """Remember what was written."""
        if self._slot:
            self._last_slot = max(self._last_slot, ts // self._slot)
            self._last = top

    def _large(self, top: Top) -> bool:
        last = self._last
        return last is not None and (
            self._moved(last.bid_prices, top.bid_prices)
            or self._moved(last.ask_prices, top.ask_prices)
            or self._leaned(last, top)
        )

    def _moved(self, last: tuple[float, ...], now: tuple[float, ...]) -> bool:
        if not (last and now):
            return last != now
        return abs(now[0] - last[0]) > last[0] * self._price_change

    def _leaned(self, last: Top, now: Top) -> bool:
        before = fsum(last.bid_sizes[:_RATIO_LEVELS]) * fsum(now.ask_sizes[:_RATIO_LEVELS])
        after = fsum(now.bid_sizes[:_RATIO_LEVELS]) * fsum(last.ask_sizes[:_RATIO_LEVELS])
        return after >= before * self._ratio > 0 or before >= after * self._ratio > 0
