"""Logs are events: a dotted name and fields, on standard error."""

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

from runtime.settings import RuntimeSettings

_WINDOW_SECONDS: Final = 10.0


class Bounded:
    """Lets so many lines of one event through in a while; the first after that says how many were left out.

    A fault that strikes a thousand times a second fills no disk, and hides nothing: other events have
    their own bounds.
    """

    def __init__(self, at_most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_most = at_most
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._ends_at = 0.0

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Pass the event on, or drop it."""
        name = str(event.get("event", ""))
        if self._clock() >= self._ends_at:
            self._counts.clear()
            self._ends_at = self._clock() + _WINDOW_SECONDS
        self._counts[name] += 1
        if self._counts[name] > self._at_most:
            self._left_out[name] += 1
            raise structlog.DropEvent
        left_out = self._left_out.pop(name, 0)
        return {**event, "left_out": left_out} if left_out else event


def configure(settings: RuntimeSettings) -> None:
    """Set up structlog for this process: for people on a terminal, JSON lines elsewhere."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *([Bounded(settings.log_lines)] if settings.log_lines else []),
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
