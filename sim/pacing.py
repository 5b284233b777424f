"""When a frame is due: recorded time, at a multiple of its speed or as fast as it is taken."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from market.errors import InvalidInputError
from market.times import SECOND

MAX = float("inf")
"""As fast as the slowest listener takes it."""


class Pace:
    """Spread frames over time as they were recorded, ``speed`` times as fast."""

    def __init__(
        self,
        speed: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take the clock and the sleep in seconds."""
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._origin: tuple[float, int] | None = None

    def restart(self) -> None:
        """Let the next frame be due at once, and those after it relative to it."""
        self._origin = None

    async def wait(self, recorded_at: int) -> bool:
        """Wait until a frame is due; tell whether there was anything to wait for."""
        if self._origin is None:
            self._origin = (self._clock(), recorded_at)
        began, first = self._origin
        delay = began + (recorded_at - first) / SECOND / self._speed - self._clock()
        if delay <= 0:
            return False
        await self._sleep(delay)
        return True


def parse_speed(text: str) -> float:
    """Return the multiple that ``1``, ``0.5``, or ``max`` means; raises InvalidInputError."""
    try:
        speed = MAX if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        message = f"speed {text!r} is neither a positive number nor 'max'"
        raise InvalidInputError(message)
    return speed
