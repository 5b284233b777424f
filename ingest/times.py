"""Which times a connection tells are believed: one wrong time must not move the others. No I/O."""

from typing import Final

from market.times import SECOND

_AHEAD: Final = 2 * SECOND
"""How much further than usual ahead of our clock a venue's time may be."""

_AGREED_FOR: Final = 10 * SECOND
"""How long all times must be as far ahead until that is taken for usual: our clock is behind then."""


class Times:
    """How far ahead of our clock a venue's times usually are. What lies behind is never doubted."""

    def __init__(self) -> None:
        self._usual = 0
        self._other = 0
        self._other_since: int | None = None

    def latest(self, received_at: int) -> int:
        """Return the latest time that is believed of what came at ``received_at``."""
        return received_at + self._usual + _AHEAD

    def believed(self, ts: int, received_at: int) -> int:
        """Return ``ts``, or the likeliest time of what cannot be of then."""
        return ts if ts <= self.latest(received_at) else received_at + self._usual

    def learn(self, ts: int, received_at: int) -> bool:
        """Learn the newest time of a frame; tell whether it is believed."""
        ahead = max(0, ts - received_at)
        if abs(ahead - self._usual) <= _AHEAD:
            self._other_since = None
        elif self._other_since is None or abs(ahead - self._other) > _AHEAD:
            self._other, self._other_since = ahead, received_at
        elif received_at - self._other_since >= _AGREED_FOR:
            self._usual, self._other_since = ahead, None
        return ts <= self.latest(received_at)
