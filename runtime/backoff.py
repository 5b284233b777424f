"""How long to wait before trying again."""

import random
from collections.abc import Callable, Iterator


def delays(
    first_seconds: float, cap_seconds: float, draw: Callable[[float, float], float] = random.uniform
) -> Iterator[float]:
    """Yield delays in seconds for ever: uniform in [0, ceiling], the ceiling doubling up to the cap.

    Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): clients cut off
    together do not come back together.
    """
    ceiling = first_seconds
    while True:
        yield draw(0.0, ceiling)
        ceiling = min(cap_seconds, ceiling * 2)
