"""How a value becomes signals: a condition begins and ends, with hysteresis and a cooldown.

One mechanism serves every kind. It has a finite memory: what it tells at ``t`` is a function of the
values in (t - MEMORY, t] alone. Recursive memory is cut at fixed windows of event time: while a window
lasts, the phase that tells has been folded since the start of the window before it, and another one,
silent, since the start of this window; at the next window the silent one takes over and a fresh one
follows it.
"""

from enum import IntEnum
from typing import Final

import msgspec

from market.signals import Direction
from market.times import MINUTE

WINDOW: Final = MINUTE
"""Microseconds of the fixed windows of event time: at most one beginning is told in each."""

IN_FORCE: Final = 5
"""How many windows a told beginning stays in force, its own among them; a later end is not told."""

MEMORY: Final = (IN_FORCE + 1) * WINDOW
"""Microseconds beyond which earlier values change nothing."""


class Phase(IntEnum):
    """What the condition is; fresh: no value was seen yet."""

    DOWN = -1
    CALM = 0
    UP = 1
    FRESH = 2


_DIRECTIONS: Final = {Phase.UP: Direction.UP, Phase.DOWN: Direction.DOWN}


class Thresholds(msgspec.Struct, frozen=True):
    """Where the condition begins and where it ends: down <= leave_down <= leave_up <= up.

    Up begins at a value of ``up`` or more and lasts while values are above ``leave_up``;
    down begins at ``down`` or less and lasts while they are below ``leave_down``. ``window`` is how many
    microseconds of event time a window lasts: what has fewer values needs a longer one.
    """

    up: float
    leave_up: float
    leave_down: float
    down: float
    window: int = WINDOW

    def phase(self, before: Phase, value: float) -> Phase:
        """Return the phase that ``value`` leads to."""
        if value >= self.up:
            return Phase.UP
        if value <= self.down:
            return Phase.DOWN
        if before is Phase.UP and value > self.leave_up:
            return Phase.UP
        if before is Phase.DOWN and value < self.leave_down:
            return Phase.DOWN
        return Phase.CALM


def symmetric(enter: float, leave: float) -> Thresholds:
    """Return thresholds around zero."""
    return Thresholds(enter, leave, -leave, -enter)


class Edges(msgspec.Struct, frozen=True, array_like=True):
    """The state: what was last seen, and what was told.

    ``phase`` tells; ``shadow`` is folded silently since the start of the window of ``ts``.
    ``told`` is the beginning in force, CALM if none; ``told_window`` the window of the newest beginning.
    ``cold_since`` is when the first value was seen, 0 once all the memory has passed since.
    """

    ts: int = 0
    phase: Phase = Phase.FRESH
    shadow: Phase = Phase.FRESH
    told: Phase = Phase.CALM
    told_window: int = -IN_FORCE
    cold_since: int = 0

    @property
    def warm(self) -> bool:
        """Tell whether all the values were seen that can have changed what is told."""
        return not self.cold_since

    def step(self, thresholds: Thresholds, ts: int, value: float) -> tuple["Edges", Direction | None]:
        """Return the state after ``value`` at ``ts``, and the edge to be told, if any.

        The first value of an instant counts; others of the same ``ts`` change nothing.
        """
        if ts == self.ts:
            return self, None
        window = ts // thresholds.window
        before, shadow = self._at(window, self.ts // thresholds.window)
        phase = thresholds.phase(before, value)
        shadowed, cold_since = (
            thresholds.phase(shadow, value),
            self._cold_since(ts, (IN_FORCE + 1) * thresholds.window),
        )
        seen = Edges(ts, phase, shadowed, self._in_force(window), self.told_window, cold_since)
        begins = phase not in (before, Phase.CALM) and before is not Phase.FRESH
        return seen._told(window, begins=begins)

    def _at(self, window: int, last: int) -> tuple[Phase, Phase]:
        """Return the phase and the shadow with which ``window`` is entered or gone on, after the ``last``."""
        passed = window - last
        if passed == 0:
            return self.phase, self.shadow
        return self.shadow if passed == 1 else Phase.FRESH, Phase.FRESH

    def _cold_since(self, ts: int, memory: int) -> int:
        since = self.cold_since if self.ts else ts
        return since if ts - since < memory else 0

    def _in_force(self, window: int) -> Phase:
        return self.told if window - self.told_window < IN_FORCE else Phase.CALM

    def _told(self, window: int, *, begins: bool) -> tuple["Edges", Direction | None]:
        """Tell a beginning, if this window has told none, or that the one in force is over."""
        if begins and window != self.told_window:
            told = msgspec.structs.replace(self, told=self.phase, told_window=window)
            return told, _DIRECTIONS[self.phase]
        if self.told not in (self.phase, Phase.CALM):
            return msgspec.structs.replace(self, told=Phase.CALM), Direction.ENDED
        return self, None
