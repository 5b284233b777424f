"""Which stretches of a tape hold trades that came later than they should."""

from collections.abc import Iterable
from typing import Final

from db.dirty import DirtyInterval
from market.times import SECOND, floor

_CLOSE: Final = 10
"""Seconds that lie between two stretches at most that are computed again as one."""


def covering(instrument_id: int, times: Iterable[int]) -> list[DirtyInterval]:
    """Return stretches that hold all of ``times``; those close to each other are one.

    Each begins with its second, and ends right after its last time, so that nobody waits for more to come.
    """
    found: list[tuple[int, int]] = []
    for ts in sorted(times):
        start = floor(ts, SECOND)
        if found and start <= found[-1][1] + _CLOSE * SECOND:
            found[-1] = found[-1][0], ts + 1
        else:
            found.append((start, ts + 1))
    return [DirtyInterval(instrument_id, from_ts, to_ts) for from_ts, to_ts in found]
