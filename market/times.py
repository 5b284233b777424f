"""Event time as whole microseconds since 1970-01-01 UTC, parsed from text and never through a float."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EARLIEST = 1_230_768_000 * SECOND
"""2009-01-01: nothing that we trade existed before; an earlier time is a wrong unit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BARE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - isoformat is quickest without a zone
_MICROSECOND = timedelta(microseconds=1)
_FRACTION_DIGITS = 6


def from_seconds_text(text: str) -> int:
    """Return microseconds of decimal seconds such as ``1618678142.557535``, truncated.

    Raises ValueError when the text is not a plain decimal number.
    """
    whole, _, fraction = text.partition(".")
    digits = fraction[:_FRACTION_DIGITS].ljust(_FRACTION_DIGITS, "0")
    if not (whole.isdecimal() and digits.isdecimal()):
        message = f"{text!r} is not a time in decimal seconds"
        raise ValueError(message)
    return int(whole) * SECOND + int(digits)


def from_iso(text: str) -> int:
    """Return microseconds of an ISO 8601 time, truncated; a time without a zone is UTC.

    Raises ValueError when the text is not a time.
    """
    moment = datetime.fromisoformat(text)
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def from_datetime(moment: datetime) -> int:
    """Return microseconds of an aware datetime, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(ts: int) -> datetime:
    """Return the aware UTC datetime of ``ts``, exactly."""
    return _EPOCH + timedelta(microseconds=ts)


def to_iso(ts: int) -> str:
    """Return ``2024-08-09T01:14:15.342000Z``: always six digits, so that text sorts as time does."""
    seconds, microseconds = divmod(ts, SECOND)
    return f"{_of_second(seconds)}.{microseconds:06d}Z"


@lru_cache(maxsize=1024)
def _of_second(seconds: int) -> str:
    """Return a second's text: what is told one after the other is mostly of the same few."""
    return (_BARE_EPOCH + timedelta(seconds=seconds)).isoformat()


def is_plausible(ts: int, now: int) -> bool:
    """Tell whether an event time lies in [2009, now + 1 day]."""
    return EARLIEST <= ts <= now + DAY


def floor(ts: int, interval: int) -> int:
    """Return the start of the interval (microseconds long) that contains ``ts``."""
    return ts - ts % interval
