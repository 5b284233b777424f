"""How much one claim takes: less when there is too little memory or time for it."""

from typing import Final

TICKS_A_CLAIM: Final = 20_000
"""So that an outage is worked off in steps."""

_MOST_HALVINGS = 6
_SUCCESSES_TO_DOUBLE = 8


class Portion:
    """Halved by each failure, down to a 64th; doubled again by some successes in a row."""

    def __init__(self) -> None:
        self._halvings = 0
        self._successes = 0

    @property
    def ticks(self) -> int:
        """Return about how many ticks to take at most."""
        return TICKS_A_CLAIM >> self._halvings

    def shards(self, share: int) -> int:
        """Return how many shards to take at most of a fair ``share``."""
        return max(1, share >> self._halvings)

    def failed(self) -> None:
        """Take half as much from now on."""
        self._halvings = min(_MOST_HALVINGS, self._halvings + 1)
        self._successes = 0

    def succeeded(self) -> None:
        """Take twice as much after some of these."""
        self._successes += 1
        if self._successes == _SUCCESSES_TO_DOUBLE:
            self._halvings = max(0, self._halvings - 1)
            self._successes = 0
