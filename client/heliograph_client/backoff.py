"""How long to wait before trying again."""

import random
from collections.abc import Callable, Iterator

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 15.0


def delays(
    first_seconds: float = FIRST_SECONDS,
    cap_seconds: float = LONGEST_SECONDS,
    draw: Callable[[float, float], float] = random.uniform,
) -> Iterator[float]:
    """Yield delays in seconds for ever: uniform in [0, ceiling], the ceiling doubling up to the cap.

    Clients that were cut off together do not come back together.
    """
    ceiling = first_seconds
    while True:
        yield draw(0.0, ceiling)
        ceiling = min(cap_seconds, ceiling * 2)
