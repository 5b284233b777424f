"""Late trades make whole seconds dirty."""

from hypothesis import given
from hypothesis import strategies as st

from db.dirty import DirtyInterval
from db.stretches import covering
from market.times import DAY, SECOND, floor


@given(st.lists(st.integers(0, 3 * DAY), max_size=50))
def test_every_time_lies_in_whole_seconds(times: list[int]) -> None:
    found = covering(7, times)
    assert all(each.from_ts == floor(each.from_ts, SECOND) for each in found)
    assert all(each.to_ts == floor(each.to_ts, SECOND) for each in found)
    assert all(sum(each.from_ts <= ts < each.to_ts for each in found) == 1 for ts in times)
    assert all(any(each.from_ts <= ts < each.to_ts for ts in times) for each in found)


def test_what_lies_close_together_is_one_stretch() -> None:
    assert [
        DirtyInterval(7, 0, 12 * SECOND),
        DirtyInterval(7, 30 * SECOND, 31 * SECOND),
    ] == covering(7, [0, 11 * SECOND, 30 * SECOND])
