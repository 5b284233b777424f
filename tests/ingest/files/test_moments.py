"""Times of files: the unit is told by their size, and nothing is rounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.files.moments import moment, precision
from market.errors import RefusedTickError
from market.times import EARLIEST, SECOND, to_iso

TIMES = st.integers(EARLIEST, 4_000_000_000 * SECOND)


@given(TIMES)
def test_a_time_is_the_same_in_every_unit_but_for_what_the_unit_cannot_say(ts: int) -> None:
    assert ts // SECOND * SECOND == moment(str(ts // SECOND))
    assert ts // 1000 * 1000 == moment(str(ts // 1000))
    assert ts == moment(str(ts))
    assert ts == moment(str(ts * 1000 + 999))
    assert ts == moment(to_iso(ts))


@given(TIMES, st.text("0123456789", max_size=6))
def test_digits_of_a_fraction_beyond_microseconds_are_cut_off(ts: int, more: str) -> None:
    assert ts == moment(f"{ts // SECOND}.{ts % SECOND:06}{more}")
    assert ts == moment(f"{ts // 1000}.{ts % 1000:03}{more}")


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1.5e9", "1_700_000_000", "17000000\u0660", "1.2.3", "NaN", "1" * 5000]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(RefusedTickError):
        moment(text)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1672531436", 1_000_000),
        ("1672531436.12", 10_000),
        ("1672531436123", 1000),
        ("1672531436123456", 1),
        ("1672531436123456789", 1),
        ("2023-01-01", 1),
    ],
)
def test_a_time_stands_for_as_much_as_its_last_digit_says(text: str, microseconds: int) -> None:
    assert microseconds == precision(text)
