from hypothesis import given
from hypothesis import strategies as st

from market.coverage import NOTHING, Coverage, Interval, united, within, without

END = 40

intervals = st.lists(st.builds(Interval, st.integers(0, END), st.integers(0, END)), max_size=8)


def moments(each: list[Interval]) -> set[int]:
    return {moment for interval in each for moment in range(interval.from_ts, interval.to_ts)}


def apart(each: list[Interval]) -> bool:
    """Tell whether intervals are in order, and neither touch, overlap, nor are empty."""
    edges = [edge for interval in each for edge in interval]
    return edges == sorted(set(edges))


@given(intervals)
def test_a_union_has_the_moments_of_its_parts(one: list[Interval]) -> None:
    assert apart(united(one))
    assert moments(one) == moments(united(one))


@given(intervals, intervals)
def test_holes_are_cut_out(one: list[Interval], other: list[Interval]) -> None:
    assert apart(without(one, other))
    assert moments(one) - moments(other) == moments(without(one, other))


@given(intervals, st.integers(0, END), st.integers(0, END))
def test_a_window_leaves_what_lies_in_it(one: list[Interval], from_ts: int, to_ts: int) -> None:
    assert apart(within(one, from_ts, to_ts))
    assert moments(one) & set(range(from_ts, to_ts)) == moments(within(one, from_ts, to_ts))


@given(intervals, intervals, st.integers(0, END), st.integers(1, END))
def test_a_share_counts_what_is_proven_and_in_no_gap(
    proven: list[Interval], unproven: list[Interval], from_ts: int, length: int
) -> None:
    whole = set(range(from_ts, from_ts + length))
    covered = whole & (moments(proven) - moments(unproven))
    assert len(covered) / length == Coverage(proven, unproven).share(from_ts, from_ts + length)


@given(intervals, intervals, intervals)
def test_many_windows_have_the_shares_that_each_has(
    proven: list[Interval], unproven: list[Interval], windows: list[Interval]
) -> None:
    coverage = Coverage(proven, unproven)
    assert [coverage.share(*window) for window in windows] == coverage.shares(windows)


def test_gaps_override_proofs() -> None:
    coverage = Coverage([Interval(0, 100)], [Interval(40, 50), Interval(90, 120)])
    assert (0.8, 1.0, 0.0) == (coverage.share(0, 100), coverage.share(50, 90), coverage.share(40, 50))
    assert [Interval(0, 40), Interval(50, 90)] == coverage.intervals(0, 100)


def test_an_instant_is_covered_or_not() -> None:
    coverage = Coverage([Interval(5, 6)])
    assert (1.0, 0.0) == (coverage.share(5, 5), coverage.share(6, 6))


def test_what_was_never_listened_to_has_no_coverage() -> None:
    assert NOTHING.share(0, 10) == 0.0
