"""Which stretches of a tape hold trades that came later than they should: whole seconds."""

from collections.abc import Iterable
from typing import Final

from db.dirty import DirtyInterval
from market.times import SECOND, floor

_CLOSE: Final = 10
"""Seconds that lie between two stretches at most that are computed again as one."""


def covering(instrument_id: int, times: Iterable[int]) -> list[DirtyInterval]:
    """Return stretches of whole seconds that hold all of ``times``; those close to each other are one."""
    found: list[tuple[int, int]] = []
    for ts in sorted(times):
        start = floor(ts, SECOND)
        if found and start <= found[-1][1] + _CLOSE * SECOND:
            found[-1] = found[-1][0], max(found[-1][1], start + SECOND)
        else:
            found.append((start, start + SECOND))
    return [DirtyInterval(instrument_id, from_ts, to_ts) for from_ts, to_ts in found]
