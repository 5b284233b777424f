"""Logs are events: a dotted name and fields, on standard error."""

import atexit
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

from runtime.settings import RuntimeSettings

_WINDOW_SECONDS: Final = 10.0
_LEFT_OUT: Final = "log.left_out"


class Bounded:
    """Lets so many lines of one event and level through in a while, and then says how many were left out.

    A fault that strikes a thousand times a second fills no disk, and hides nothing: other events, and the
    same at another level, have their own bounds.
    """

    def __init__(
        self,
        at_most: int,
        tell: Callable[[str, str, int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_most = at_most
        self._tell = tell
        self._clock = clock
        self._counts: Counter[tuple[str, str]] = Counter()
        self._ends_at = 0.0
        self._lock = threading.Lock()

    def __call__(self, _logger: object, level: str, event: EventDict) -> EventDict:
        """Pass the event on, or drop it."""
        if self._clock() >= self._ends_at:
            self.tell()
        key = level, str(event.get("event", ""))
        if key[1] == _LEFT_OUT:
            return event
        with self._lock:
            self._counts[key] += 1
            if self._counts[key] > self._at_most:
                raise structlog.DropEvent
        return event

    def tell(self) -> None:
        """End the while: say what was left out in it."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._ends_at = self._clock() + _WINDOW_SECONDS
        for (level, name), count in counts.items():
            if count > self._at_most:
                self._tell(level, name, count - self._at_most)


def configure(settings: RuntimeSettings) -> None:
    """Set up structlog for this process: for people on a terminal, JSON lines elsewhere."""
    bounds = [Bounded(settings.log_lines, _tell_left_out)] if settings.log_lines else []
    for bounded in bounds:
        atexit.register(_end, bounded)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *bounds,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_ending(for_people=_for_people(settings)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_number(settings.log_level)),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # configured again, as tests do, every logger follows
    )
    # Libraries that log the standard way are heard when something is wrong.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)


def _tell_left_out(level: str, name: str, count: int) -> None:
    getattr(structlog.get_logger(__name__), level)(_LEFT_OUT, name=name, left_out=count)


def _end(bounded: Bounded) -> None:
    """Tell at the end of the process what has not been told."""
    with suppress(OSError, ValueError):  # nobody reads standard error any more
        bounded.tell()


def _for_people(settings: RuntimeSettings) -> bool:
    if settings.log_format == "auto":
        return sys.stderr.isatty()
    return settings.log_format == "console"


def _ending(*, for_people: bool) -> list[Processor]:
    if for_people:
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]


def _json(event: Any, **_options: Any) -> str:  # noqa: ANN401  # structlog's own signature
    import msgspec

    return msgspec.json.encode(event, enc_hook=repr).decode()


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
