"""Which bars hold trades that came later than they should: whole ones, of every interval."""

from collections.abc import Iterable, Sequence
from typing import Final

from db.outcomes import DirtyInterval
from market.bars import INTERVALS
from market.times import SECOND, floor

_CLOSE: Final = 10
"""Bars that lie between two stretches at most that are computed again as one."""


def covering(instrument_id: int, times: Iterable[int]) -> list[DirtyInterval]:
    """Return stretches of whole bars that hold all of ``times``; those close to each other are one."""
    ordered = sorted(times)
    return [
        DirtyInterval(instrument_id, length // SECOND, start, end)
        for length in INTERVALS.values()
        for start, end in _stretches(ordered, length)
    ]


def _stretches(ordered: Sequence[int], length: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for ts in ordered:
        start = floor(ts, length)
        if found and start <= found[-1][1] + _CLOSE * length:
            found[-1] = found[-1][0], max(found[-1][1], start + length)
        else:
            found.append((start, start + length))
    return found
