"""A signal: an edge of a condition, with what it was seen in."""

from enum import StrEnum
from typing import Final

import msgspec

from market.gaps import DEPTHS, TRADES

ON_BOOKS: Final = frozenset({"pressure"})
"""The kinds that are computed from order books; the others are computed from bars, which are trades."""


class Direction(StrEnum):
    """What the condition says: it became true upwards or downwards, or it ended."""

    UP = "up"
    DOWN = "down"
    ENDED = "ended"


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One edge of one kind at one instant.

    ``strength`` and ``confidence`` lie in [0, 1]. ``from_ts`` and ``to_ts`` bound the input that
    the value was computed from (half-open at the start). ``version`` counts changes of the fold
    or its parameters: together with kind and ``ts`` it names the signal on its instrument.
    """

    kind: str
    version: int
    ts: int
    direction: Direction
    strength: float
    confidence: float
    price: float
    evidence: dict[str, float]
    from_ts: int
    to_ts: int

    @property
    def source(self) -> str:
        """Return which ticks it was computed from, ``trades`` or ``depths``: its coverage is theirs."""
        return DEPTHS if self.kind in ON_BOOKS else TRADES
