"""Leave alone for a while what has just failed."""

from collections.abc import Callable
from math import inf


class Breaker:
    """Opens at a failure; after its rest one try is let through, and success closes it."""

    def __init__(self, rest_seconds: float, clock: Callable[[], float]) -> None:
        """Use ``clock``, in seconds."""
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._closed_again_at = -inf

    def allows(self) -> bool:
        """Tell whether to try now; one that is let through after a rest keeps the others away meanwhile."""
        if self._closed_again_at == -inf:
            return True
        if self._clock() < self._closed_again_at:
            return False
        self.failed()
        return True

    def failed(self) -> None:
        """Begin a rest."""
        self._closed_again_at = self._clock() + self._rest_seconds

    def succeeded(self) -> None:
        """Let everything through."""
        self._closed_again_at = -inf
