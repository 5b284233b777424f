"""How often a stream speaks, learned from itself: much longer silence is not its habit."""

from typing import Final

from market.times import SECOND

USUAL: Final = 60 * SECOND
"""The patience with a stream whose habit is not known."""

_LEARNED_AFTER: Final = 20
"""Bursts after which a habit is known."""

_REMEMBERED: Final = 100
"""Bursts that the mean looks back on, about."""

_TIMES_THE_MEAN: Final = 20
_LEAST: Final = 10 * SECOND

_JUMP: Final = 60 * SECOND
"""Venue time that passes at once is nobody's silence."""


class Habit:
    """The mean time between bursts of one stream, in microseconds of venue time.

    What follows within a second belongs to the same burst: a hundred trades in one millisecond,
    and then none for half a minute, are one. Patience that was stretched comes back by half each
    hundred bursts: who is quiet at night is not to be mute for hours by day.
    """

    def __init__(self, at_first: int | None = USUAL) -> None:
        """Be patient for ``at_first`` until the habit is known; None: for ever."""
        self._at_first = at_first
        self._burst: int | None = None
        self._mean = 0.0
        self._bursts = 0
        self._stretched = 1
        self._looked_at = 0
        self.listening_since = 0
        """From when on its silence would be heard."""

    def listen_from(self, ts: int) -> None:
        """Note that a session begins."""
        self.listening_since = self._looked_at = ts

    def listen(self, ts: int) -> None:
        """Note that it is listened to at ``ts``."""
        if ts - self._looked_at > _JUMP:
            self.listening_since = ts
        self._looked_at = ts

    def exceeded(self, silence: int) -> bool:
        """Tell whether the stream may be mute that was silent for so long."""
        return self.patience is not None and silence > self.patience

    def speak(self, ts: int) -> None:
        """Learn that the stream spoke at ``ts``."""
        if self._burst is not None and ts - self._burst < SECOND:
            return
        if self._burst is not None:
            self._bursts += 1
            if self._bursts == _LEARNED_AFTER:
                self._stretched = 1
            elif self._bursts % _REMEMBERED == 0:
                self._stretched = max(1, self._stretched // 2)
            weight = 1 / min(self._bursts, _REMEMBERED)
            self._mean += weight * (ts - self._burst - self._mean)
        self._burst = ts

    def interrupt(self) -> None:
        """Forget when it last spoke: the time until the next word is not the stream's own."""
        self._burst = None

    def stretch(self, silence: int) -> None:
        """Learn that the stream had nothing to say for so long: be twice as patient with it."""
        while self.patience is not None and self.patience <= silence:
            self._stretched *= 2
        self._stretched *= 2

    @property
    def patience(self) -> int | None:
        """Return the silence, in microseconds, beyond which the stream may be mute; None: it never is."""
        if self._bursts < _LEARNED_AFTER:
            return None if self._at_first is None else self._stretched * self._at_first
        return self._stretched * max(_LEAST, round(_TIMES_THE_MEAN * self._mean))
