"""Moments as people write them in a question: ISO 8601, or seconds, milliseconds, microseconds."""

import re

from market.errors import InvalidInputError
from market.times import EARLIEST, SECOND, from_iso, from_seconds_text

_LATEST = 4_102_444_800 * SECOND
"""2100-01-01: what lies beyond is a wrong unit."""

_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")
_UNITS = {13: 1000, 16: 1}
"""Microseconds in the unit of a whole number with so many digits."""


def parse(text: str) -> int:
    """Return microseconds since 1970 of a moment; raises InvalidInputError."""
    try:
        ts = _number(text) if _NUMBER.fullmatch(text) else from_iso(text)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(_refusal(text)) from error
    if not EARLIEST <= ts <= _LATEST:
        raise InvalidInputError(_refusal(text))
    return ts


def _number(text: str) -> int:
    unit = _UNITS.get(len(text)) if text.isdecimal() else None
    return int(text) * unit if unit else from_seconds_text(text)


def _refusal(text: str) -> str:
    return (
        f"{text!r} is not a moment from 2009 to 2100: write 2026-11-21T10:00:00Z (a + as %2B), "
        "or seconds (10 digits), milliseconds (13), microseconds (16) since 1970"
    )
