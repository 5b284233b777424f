"""Logs are events: a dotted name and fields, on standard error."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import Processor

from runtime.settings import RuntimeSettings


def configure(settings: RuntimeSettings) -> None:
    """Set up structlog for this process: for people on a terminal, JSON lines elsewhere."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
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
