"""Leave a host alone that fails again and again."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

FAILURES: Final = 5
"""In a row, after which a breaker opens."""

_FIRST_REST_SECONDS: Final = 5.0
_LONGEST_REST_SECONDS: Final = 60.0


class State(StrEnum):
    """Closed lets everything through, open nothing, half-open one try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after failures in a row; after a rest one try is let through.

    Its success closes the breaker, its failure doubles the rest. A try that tells nothing of itself
    keeps the others away for one rest.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        failures: int = FAILURES,
        longest_rest_seconds: float = _LONGEST_REST_SECONDS,
    ) -> None:
        """Use ``clock``, in seconds."""
        self._clock = clock
        self._bound = failures
        self._longest_rest_seconds = longest_rest_seconds
        self._failures = 0
        self._rest_seconds = _FIRST_REST_SECONDS
        self._resting_until: float | None = None
        self._trying = False

    @property
    def state(self) -> State:
        """Return what the breaker is now."""
        if self._resting_until is None:
            return State.CLOSED
        return State.HALF_OPEN if self._trying else State.OPEN

    @property
    def seconds_left(self) -> float:
        """Return in how many seconds a try will be let through."""
        return 0.0 if self._resting_until is None else max(0.0, self._resting_until - self._clock())

    def allows(self) -> bool:
        """Tell whether to try now; the one that is let through after a rest is told so once."""
        if self._resting_until is None:
            return True
        if self.seconds_left:
            return False
        self._trying = True
        self._resting_until = self._clock() + self._rest_seconds
        return True

    def succeeded(self) -> None:
        """Let everything through."""
        self._failures = 0
        self._rest_seconds = _FIRST_REST_SECONDS
        self._resting_until = None
        self._trying = False

    def failed(self) -> None:
        """Count a failure; open at the last of a row, or when the one try failed."""
        self._failures += 1
        if self._trying:
            self._rest_seconds = min(self._longest_rest_seconds, self._rest_seconds * 2)
        if self._trying or self._failures == self._bound:
            self._resting_until = self._clock() + self._rest_seconds
        self._trying = False
