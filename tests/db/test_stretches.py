"""Late trades make whole bars dirty."""

from hypothesis import given
from hypothesis import strategies as st

from db.outcomes import DirtyInterval
from db.stretches import covering
from market.bars import INTERVALS
from market.times import DAY, SECOND, floor


@given(st.lists(st.integers(0, 3 * DAY), max_size=50))
def test_every_time_lies_in_whole_bars_of_every_interval(times: list[int]) -> None:
    found = covering(7, times)
    for length in INTERVALS.values():
        own = [each for each in found if each.interval_seconds * SECOND == length]
        assert all(each.from_ts == floor(each.from_ts, length) for each in own)
        assert all(each.to_ts == floor(each.to_ts, length) for each in own)
        assert all(sum(each.from_ts <= ts < each.to_ts for each in own) == 1 for ts in times)
        assert all(any(each.from_ts <= ts < each.to_ts for ts in times) for each in own)


def test_what_lies_close_together_is_one_stretch() -> None:
    seconds = [each for each in covering(7, [0, 11 * SECOND, 30 * SECOND]) if each.interval_seconds == 1]
    assert [
        DirtyInterval(7, 1, 0, 12 * SECOND),
        DirtyInterval(7, 1, 30 * SECOND, 31 * SECOND),
    ] == seconds
