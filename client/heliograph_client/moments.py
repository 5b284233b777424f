"""Moments and lengths of time, as people and programs give them."""

import re
from datetime import UTC, datetime, timedelta

from heliograph_client.errors import InvalidQuestionError

Moment = datetime | str | int
"""A datetime (without a zone: UTC), ISO 8601, or seconds, milliseconds, or microseconds since 1970."""

Length = timedelta | str
"""A timedelta, or text like ``90s``, ``15m``, ``6h``, ``1d``, ``2w``."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def text_of(moment: Moment) -> str:
    """Return a moment as the API is asked it."""
    if not isinstance(moment, datetime):
        return str(moment)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def length_of(length: Length) -> timedelta:
    """Return a length of time; raises InvalidQuestionError."""
    if isinstance(length, timedelta):
        return length
    if not (found := re.fullmatch(r"(\d{1,6})([smhdw])", length)):
        message = f"{length!r} is no length of time: write it like 90s, 15m, 6h, 1d, or 2w"
        raise InvalidQuestionError(message)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def range_of(
    since: Moment | None, until: Moment | None, last: Length | None, now: datetime
) -> dict[str, str | None]:
    """Return ``from`` and ``to`` of a question; ``last`` counts back from now."""
    if last is not None:
        if since is not None:
            message = "since and last both say where to begin: give one of them"
            raise InvalidQuestionError(message)
        since = now - length_of(last)
    return {
        "from": None if since is None else text_of(since),
        "to": None if until is None else text_of(until),
    }
