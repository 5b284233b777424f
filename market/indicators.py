"""An indicator: the value behind a signal, as it stood at the end of a minute."""

from typing import Final

import msgspec

from market.gaps import TRADES
from market.times import MINUTE

EVERY: Final = MINUTE
"""How far apart in event time indicators are kept: they are measured every second, and with every book."""


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind measured last before ``ts``, the end of a minute.

    ``values`` are the numbers that a signal would give as evidence. ``from_ts`` and ``to_ts`` bound the input
    that they were computed from. Together with its instrument, ``kind``, ``version``, and ``ts`` name it.
    ``source`` is which ticks it was computed from, ``trades`` or ``depths``: its coverage is theirs.
    """

    kind: str
    version: int
    ts: int
    values: dict[str, float]
    confidence: float
    from_ts: int
    to_ts: int
    source: str = TRADES
