"""What the numbers of trades tell: which were skipped and came late, and when a venue begins anew. No I/O."""

from typing import Final

from market.gaps import Finding

_HOLES: Final = 100
"""Holes a stream whose trades may still come late; the healer finds those of older ones."""

_NUMBERS: Final = 2**52
"""Venues number trades below this, even by the microsecond; one hash of 64 bits in 4096 is there."""

_SURE_AFTER: Final = 3
"""Trades in a row, each later than all before, whose numbers are old: they are new numbers then."""

RENUMBERED: Final = "the venue numbers its trades anew: what may lie between has no known ids"


def is_number(trade_id: int) -> bool:
    """Tell whether it may be a venue's own, and no hash of ours."""
    return 0 <= trade_id < _NUMBERS


class _Hole:
    """Ids that were skipped, and those of them that came after all."""

    def __init__(self, found: Finding, after_id: int, before_id: int) -> None:
        self.found = found
        self._after_id = after_id
        self._before_id = before_id
        self._seen: set[int] = set()

    def holds(self, trade_id: int) -> bool:
        return self._after_id < trade_id < self._before_id

    def fill(self, trade_id: int) -> bool:
        """Tell whether nothing is missing any more."""
        self._seen.add(trade_id)
        return len(self._seen) == self._before_id - self._after_id - 1


class Holes:
    """What one stream skipped lately."""

    def __init__(self) -> None:
        self._holes: list[_Hole] = []

    def add(self, found: Finding, after_id: int, before_id: int) -> None:
        """Remember a gap whose trades may come late."""
        self._holes = [*self._holes[-_HOLES + 1 :], _Hole(found, after_id, before_id)]

    def hold(self, trade_id: int) -> bool:
        """Tell whether a trade is one that was skipped."""
        return any(hole.holds(trade_id) for hole in self._holes)

    def fill(self, trade_id: int) -> Finding | None:
        """Take a trade that came late; return the gap that missed nothing but it."""
        for hole in self._holes:
            if hole.holds(trade_id) and hole.fill(trade_id):
                self._holes.remove(hole)
                return hole.found
        return None


class Renumbering:
    """Old numbers at new times: several in a row, and the venue has begun to number anew.

    A trade that comes late, or twice, has the time that it had; it is never later than all before.
    """

    def __init__(self) -> None:
        self._run: list[tuple[int, int]] = []

    def suspect(self, ts: int, trade_id: int) -> tuple[int, int] | None:
        """Take a trade that is late by its number, but not by its time; return the first once it is sure."""
        follows = bool(self._run) and trade_id == self._run[-1][1] + 1 and ts >= self._run[-1][0]
        self._run = [*self._run, (ts, trade_id)] if follows else [(ts, trade_id)]
        return self._run[0] if len(self._run) == _SURE_AFTER else None
