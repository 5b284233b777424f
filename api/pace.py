"""How fast one subscriber may ask: who asks for more is not refused, but waits."""

from collections.abc import Callable
from math import inf


class Pace:
    """So much at once, and then one by one (GCRA): one number, the moment at which all may be had again."""

    def __init__(self, each_seconds: float, at_once: int, clock: Callable[[], float]) -> None:
        """Use ``clock``, in seconds."""
        self._each_seconds = each_seconds
        self._span = each_seconds * at_once
        self._clock = clock
        self._whole_at = -inf

    def take(self, count: int) -> float:
        """Take so many; return in how many seconds they may be had."""
        now = self._clock()
        self._whole_at = max(self._whole_at, now) + count * self._each_seconds
        return max(0.0, self._whole_at - self._span - now)
