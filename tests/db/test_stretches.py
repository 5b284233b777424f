"""Late trades make what lies around them dirty."""

from hypothesis import given
from hypothesis import strategies as st

from db.dirty import DirtyInterval
from db.stretches import covering
from market.times import DAY, SECOND, floor


@given(st.lists(st.integers(0, 3 * DAY), max_size=50))
def test_every_time_lies_in_a_stretch_that_begins_with_its_second(times: list[int]) -> None:
    found = covering(7, times)
    assert all(each.from_ts == floor(each.from_ts, SECOND) for each in found)
    assert all(each.to_ts - 1 in times for each in found)
    assert all(sum(each.from_ts <= ts < each.to_ts for each in found) == 1 for ts in times)


def test_what_lies_close_together_is_one_stretch() -> None:
    assert [
        DirtyInterval(7, 0, 10 * SECOND + 1),
        DirtyInterval(7, 30 * SECOND, 30 * SECOND + 1),
    ] == covering(7, [0, 10 * SECOND, 30 * SECOND])
