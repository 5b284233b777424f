"""How many live workers there should be, from how long the oldest batch has waited. Pure."""

from typing import Final

BUSY_ABOVE_SECONDS: Final = 0.5
"""A batch that has waited so long waits for workers, not for the next look."""

CALM_BELOW_SECONDS: Final = 0.2


class Scaling:
    """One more at a time while batches wait, one less at a time once none has for long."""

    def __init__(
        self, least: int, most: int, *, grow_after_seconds: float = 3.0, calm_seconds: float = 60.0
    ) -> None:
        """Stay between ``least`` and ``most``; a new one takes ``grow_after_seconds`` to be of use."""
        self._least = least
        self._most = most
        self._grow_after_seconds = grow_after_seconds
        self._calm_seconds = calm_seconds
        self._grown_at = float("-inf")
        self._restless_at = float("-inf")

    def wanted(self, running: int, age_seconds: float | None, now: float) -> int:
        """Return how many there should be of ``running``, when the oldest batch is ``age_seconds`` old.

        None: nobody knows; then none is added or taken away. ``now`` is a clock's that never goes back.
        """
        bounded = min(max(running, self._least), self._most)
        if age_seconds is None or age_seconds >= CALM_BELOW_SECONDS or bounded != running:
            self._restless_at = now
        if bounded != running or age_seconds is None:
            return bounded
        if age_seconds > BUSY_ABOVE_SECONDS:
            return self._grown(running, now)
        return self._shrunk(running, now)

    def _grown(self, running: int, now: float) -> int:
        if running == self._most or now - self._grown_at < self._grow_after_seconds:
            return running
        self._grown_at = now
        return running + 1

    def _shrunk(self, running: int, now: float) -> int:
        if running == self._least or now - self._restless_at < self._calm_seconds:
            return running
        self._restless_at = now
        return running - 1
