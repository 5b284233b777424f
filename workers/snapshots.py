"""Which states of a fold are kept to go back to. Pure."""

from collections.abc import Sequence
from typing import Final, Protocol

from market.times import SECOND

SNAPSHOT_EVERY: Final = SECOND // 10
"""Microseconds of event time between states kept for rewinding. It divides every interval of bars."""

SNAPSHOTS_KEPT: Final = 21
"""The newest snapshots of one call that are returned: they reach back at least 2 s of event time."""


class Timed(Protocol):
    """What happened at a time."""

    @property
    def ts(self) -> int:
        """Return when."""


def kept_from(ticks: Sequence[Timed]) -> int:
    """Return when event time enters the first SNAPSHOT_EVERY whose snapshot is kept: no other is made."""
    if len(ticks) <= SNAPSHOTS_KEPT:
        return 0
    slots, newest = 0, 0
    for tick in reversed(ticks):
        if (slot := tick.ts // SNAPSHOT_EVERY) != newest:
            if slots == SNAPSHOTS_KEPT:
                return newest * SNAPSHOT_EVERY
            slots, newest = slots + 1, slot
    return 0
