"""Times as files write them, whatever their unit: recognised by size, truncated, never through a float."""

from typing import Final

from ingest.venues.venue import Reason
from market.errors import RefusedTickError
from market.times import SECOND, from_iso

_DIGITS: Final = 6
"""Of a fraction that counts: what a microsecond is of a second."""

_UNITS: Final = ((10**11, 0), (10**14, 3), (10**17, 6))
"""Below so many they are seconds, milliseconds, microseconds; at most: powers of ten in a second."""

_NANOSECONDS: Final = 9
_LONGEST: Final = 20
"""Digits of any count that is a time: more are not looked at."""

_THOUSAND: Final = 1000
_POWERS: Final = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)


def moment(text: str) -> int:
    """Return microseconds since 1970 of a count in s, ms, us, or ns, or of ISO 8601.

    Raises RefusedTickError for anything else.
    """
    whole, _, fraction = text.partition(".")
    if not (text.isascii() and whole.isdecimal() and (fraction.isdecimal() or whole == text)):
        return _iso(text)
    if len(whole) > _LONGEST:
        raise RefusedTickError(Reason.IMPLAUSIBLE_TIME)
    places = _DIGITS - _power(int(whole))
    if places < 0:
        return int(whole) // _THOUSAND
    return int(whole) * _POWERS[places] + int(fraction[:places].ljust(places, "0") or "0")


def precision(text: str) -> int:
    """Return in microseconds what the last digit of a time stands for; 1 where it is finer, or unclear."""
    whole, _, fraction = text.partition(".")
    if not whole.isdecimal():
        return 1
    return int(max(1, SECOND // 10 ** (_power(int(whole)) + min(len(fraction), _DIGITS))))


def _power(count: int) -> int:
    return next((power for below, power in _UNITS if count < below), _NANOSECONDS)


def _iso(text: str) -> int:
    try:
        return from_iso(text)
    except ValueError:
        raise RefusedTickError(Reason.IMPLAUSIBLE_TIME) from None
