"""Which trades the newest bars began with, so that a signal can name the first and the last of its input."""

from bisect import bisect_left

import msgspec

from market.ticks import Place
from market.times import SECOND, floor


class Trail(msgspec.Struct, frozen=True, array_like=True):
    """The first trade of each of the newest bars of one second, oldest first, and the newest trade of all.

    Bars that are empty have none; the bar that still runs is the last of ``firsts``.
    """

    firsts: tuple[Place, ...] = ()
    last: Place | None = None

    @property
    def second_ends(self) -> int:
        """Return when the newest bar's second ends; 0 before the first trade."""
        return floor(self.firsts[-1].ts, SECOND) + SECOND if self.firsts else 0

    def begun(self, first: Place, size: int) -> "Trail":
        """Return the trail of the newest ``size`` bars once another began with ``first``."""
        return Trail((*self.firsts, first)[-max(size, 1) :], first)

    def first_since(self, ts: int) -> Place | None:
        """Return the first trade at or after ``ts``, or the oldest that is known."""
        at = bisect_left(self.firsts, ts, key=lambda place: place.ts)
        return self.firsts[at] if at < len(self.firsts) else None
