"""Frames of latest values are made once for all for whom they are the same."""

from api.formats import Format
from api.showing import _SLOTS, Showing
from market.channels import Family
from market.publications import Latest

CHANNEL = '"quotes:kraken:SOL/USD"'


def quote(ts: int, instrument_id: int = 1) -> Latest:
    return Latest(instrument_id, Family.QUOTES, ts, 0, 1, f'{{"ts":{ts}}}')


def test_who_is_told_the_same_is_sent_the_same_frame() -> None:
    showing, value = Showing(), quote(1)
    showing.show(value)
    one, again, other = (showing.frame(CHANNEL, value, conflated) for conflated in (1, 1, 2))
    assert (True, False) == (one is again, one is other)
    assert b'"conflated":2' in other.wire(Format.JSON)


def test_who_lags_behind_is_sent_the_older_value() -> None:
    showing, older, newer = Showing(), quote(1), quote(2)
    for value in (older, newer):
        showing.show(value)
    assert b'{"ts":1}' in showing.frame(CHANNEL, older, 1).wire(Format.JSON)
    assert b'{"ts":2}' in showing.frame(CHANNEL, newer, 1).wire(Format.JSON)


def test_what_is_kept_is_bounded() -> None:
    showing = Showing()
    for instrument_id in range(2 * _SLOTS):
        showing.show(quote(1, instrument_id))
    assert _SLOTS == len(showing._shown)
    assert b'{"ts":1}' in showing.frame(CHANNEL, quote(1, 0), 1).wire(Format.JSON)
