"""What time it is, as everybody here counts it. Passed to whoever needs it, so that tests set it."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns microseconds since 1970, UTC."""


def now() -> int:
    """Return the time in microseconds since 1970, UTC."""
    return time.time_ns() // 1000
