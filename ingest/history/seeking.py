"""A trade is looked for by its time where a venue can only be asked for ids. Pure.

Pages tell ids with their times, so each answer narrows where the time must be: by interpolation, which finds
it in a few requests, and by halves now and then, which bounds how many they can be.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from market.trades import Trade

_OLDEST: Final = 1
"""The first id of a venue; some begin with 0."""

UNBOUNDED: Final = 2**63
"""Beyond all ids."""

_HALVED_EVERY: Final = 3


class Spot(msgspec.Struct, frozen=True, order=True):
    """A trade of which the id and the time are known."""

    trade_id: int
    ts: int


class Seek(msgspec.Struct, frozen=True, kw_only=True):
    """Looks for the first trade at or after ``ts`` on pages of ``page`` trades.

    All trades up to ``bottom`` are before it, all from ``top`` on are not; not even the newest is known at
    first. ``low`` and ``high`` are the nearest on either side whose times are known.
    """

    ts: int
    page: int
    upwards: bool
    bottom: int = -1
    top: int = UNBOUNDED
    low: Spot | None = None
    high: Spot | None = None
    asked: int = 0

    @property
    def found(self) -> bool:
        """Tell whether a page that begins at one end holds all that is between."""
        return self.top - self.bottom <= self.page

    @property
    def guess(self) -> int | None:
        """Return the id to ask for next; None for the newest page."""
        if self.top == UNBOUNDED:
            return None
        if self.low is None and self.bottom < _OLDEST < self.top:
            return _OLDEST
        middle = self.bottom + (self.top - self.bottom) // 2
        if self.low is None or self.high is None or self.asked % _HALVED_EVERY == 1:
            return middle
        span = max(self.high.ts - self.low.ts, 1)
        meant = self.low.trade_id + (self.high.trade_id - self.low.trade_id) * (self.ts - self.low.ts) // span
        aside = -self.page // 2 if self.upwards else self.page // 2
        return min(max(meant + aside, self.bottom + 1), self.top - 1)

    def seen(self, trades: Iterable[Trade]) -> "Seek":
        """Return what is known after the answer to the guess.

        A page upwards has the next trades from the guess on, one downwards the last up to it.
        """
        spots = sorted(Spot(trade.trade_id, trade.ts) for trade in trades)
        before = [spot for spot in spots if spot.ts < self.ts]
        beyond = [spot for spot in spots if spot.ts >= self.ts]
        low, high = (
            max([*before, *_known(self.low)], default=None),
            min([*beyond, *_known(self.high)], default=None),
        )
        bottom, top = self._between(before, beyond)
        return msgspec.structs.replace(self, bottom=bottom, top=top, low=low, high=high, asked=self.asked + 1)

    def _between(self, before: list[Spot], beyond: list[Spot]) -> tuple[int, int]:
        """Return the bounds; on a page no trade is left out, so there is none between two of its trades."""
        guess, upper = self.guess, beyond[0].trade_id if beyond else None
        if before and upper is not None:
            return upper - 1, upper
        if guess is None:
            newest = before[-1].trade_id if before else -1
            return (newest, newest + 1) if upper is None else (self.bottom, upper)
        if self.upwards:
            return (before[-1].trade_id, self.top) if before else (self.bottom, guess)
        return (guess, self.top) if upper is None else (self.bottom, upper)


def _known(spot: Spot | None) -> tuple[Spot, ...]:
    return () if spot is None else (spot,)
