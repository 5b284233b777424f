"""Times come from text, exactly."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import times

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(st.decimals(min_value=0, max_value=10**10, places=9))
def test_decimal_seconds_are_truncated_to_microseconds(seconds: Decimal) -> None:
    expected = int((seconds * times.SECOND).to_integral_value(rounding=ROUND_FLOOR))
    assert expected == times.from_seconds_text(f"{seconds:f}")


def test_a_recorded_time_is_not_what_a_float_makes_of_it() -> None:
    assert 1_618_678_142_557_535 == times.from_seconds_text("1618678142.557535")
    assert 1_618_678_142_000_000 == times.from_seconds_text("1618678142")


@pytest.mark.parametrize("text", ["", "-1", "1e9", "1.2.3", "now", "1.x"])
def test_what_is_no_decimal_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time in decimal seconds"):
        times.from_seconds_text(text)


@given(MOMENTS)
def test_iso_and_datetime_go_there_and_back(moment: datetime) -> None:
    ts = times.from_datetime(moment)
    assert moment == times.to_datetime(ts)
    assert ts == times.from_iso(times.to_iso(ts))
    assert ts == times.from_iso(moment.astimezone().isoformat())


def test_a_time_without_a_zone_is_utc() -> None:
    assert times.from_iso("2024-08-09T01:14:15Z") == times.from_iso("2024-08-09T01:14:15")


@given(st.tuples(MOMENTS, MOMENTS))
def test_iso_text_sorts_as_time_does(pair: tuple[datetime, datetime]) -> None:
    one, other = (times.from_datetime(moment) for moment in pair)
    assert (one < other) == (times.to_iso(one) < times.to_iso(other))


def test_plausible_is_from_2009_to_a_day_ahead() -> None:
    now = times.from_datetime(datetime(2026, 11, 21, tzinfo=UTC))
    tomorrow = times.from_datetime(times.to_datetime(now) + timedelta(days=1))
    assert times.is_plausible(tomorrow, now)
    assert not times.is_plausible(tomorrow + 1, now)
    assert times.is_plausible(times.EARLIEST, now)
    assert not times.is_plausible(times.EARLIEST - 1, now)


@given(st.integers(0, 10**17), st.sampled_from([times.SECOND, times.MINUTE, times.HOUR, times.DAY]))
def test_floor_is_the_start_of_the_interval(ts: int, interval: int) -> None:
    start = times.floor(ts, interval)
    assert start <= ts < start + interval
    assert 0 == start % interval
