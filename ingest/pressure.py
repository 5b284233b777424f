"""How full the buffer is and was, how long sockets were not read for it, and how much memory is held."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import structlog

from ingest.rooms import Room

logger = structlog.get_logger(__name__)

BUFFER_ALARM: Final = 0.7
MEMORY_ALARM: Final = 0.8
_CALM: Final = 0.2
"""How far a share falls below its alarm before the alarm can sound again."""


class Alarm:
    """Warns once when a share rises above a bound, and again only after it was well below."""

    def __init__(self, name: str, above: float) -> None:
        self._name = name
        self._above = above
        self._sounded = False

    def look(self, share: float, **facts: object) -> None:
        """Take the share as it is now."""
        if share >= self._above and not self._sounded:
            self._sounded = True
            logger.warning("pressure.high", of=self._name, share=round(share, 3), **facts)
        elif share < self._above - _CALM and self._sounded:
            self._sounded = False
            logger.info("pressure.relieved", of=self._name, share=round(share, 3), **facts)


class Pressure(msgspec.Struct, frozen=True, kw_only=True):
    """What a heartbeat says of it. Shares are of the bound, in [0, 1] but for one frame's overshoot."""

    share: float
    peak_share: float
    saturated: bool
    pauses: int
    paused_seconds: float
    waiting_bytes: int
    resident_bytes: int | None
    memory_limit_bytes: int | None


class Gauge:
    """Follows the buffer's share. ``time`` tells seconds, from any start."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._alarm = Alarm("buffer", BUFFER_ALARM)
        self._waiting = 0
        self._paused_at = 0.0
        self._paused_seconds = 0.0
        self.share = 0.0
        self.peak_share = 0.0
        self.pauses = 0
        """How many frames had to wait for room."""
        self.saturated = False
        """Whether it was full, and is not half empty yet."""

    @property
    def paused_seconds(self) -> float:
        """Return how long any socket was not read, up to now."""
        since = self._time() - self._paused_at if self._waiting else 0.0
        return self._paused_seconds + since

    def became(self, share: float) -> None:
        """Note how full the buffer is now."""
        self.share = share
        self.peak_share = max(self.peak_share, share)
        self.saturated = share >= 1 or (self.saturated and share >= 0.5)  # noqa: PLR2004 - a half
        self._alarm.look(share)

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """Count a read that waits for room."""
        if not self._waiting:
            self._paused_at = self._time()
        self._waiting += 1
        self.pauses += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._paused_seconds += self._time() - self._paused_at


class Memory:
    """Follows the memory that this process holds, against its limit where there is one."""

    def __init__(self, resident: Callable[[], int | None], limit_bytes: int | None) -> None:
        self._resident = resident
        self._limit_bytes = limit_bytes
        self._alarm = Alarm("memory", MEMORY_ALARM)

    def measure(self, gauge: Gauge, room: Room) -> Pressure:
        """Return what there is to tell now."""
        resident, limit = self._resident(), self._limit_bytes
        if resident is not None and limit:
            self._alarm.look(resident / limit, resident_bytes=resident, limit_bytes=limit)
        return Pressure(
            share=round(gauge.share, 4),
            peak_share=round(gauge.peak_share, 4),
            saturated=gauge.saturated,
            pauses=gauge.pauses,
            paused_seconds=round(gauge.paused_seconds, 3),
            waiting_bytes=room.held,
            resident_bytes=resident,
            memory_limit_bytes=limit,
        )
