"""How many live workers there are follows how long batches wait."""

from hypothesis import given
from hypothesis import strategies as st

from heliograph.scaling import Scaling

ages = st.one_of(st.none(), st.floats(0, 100))


def followed(scaling: Scaling, running: int, *looks: tuple[float | None, float]) -> list[int]:
    """How many there are after each look, of an age at a time."""
    counts = []
    for age, now in looks:
        running = scaling.wanted(running, age, now)
        counts.append(running)
    return counts


def test_one_is_added_at_a_time_while_batches_wait_up_to_the_most() -> None:
    scaling = Scaling(1, 3, grow_after_seconds=3)
    looks = [(2.0, float(second)) for second in range(10)]
    assert [2, 2, 2, 3, 3, 3, 3, 3, 3, 3] == followed(scaling, 1, *looks)


def test_one_is_taken_away_at_a_time_once_none_has_waited_for_long_down_to_the_least() -> None:
    scaling = Scaling(1, 9, calm_seconds=2)
    looks = [(0.0, float(second)) for second in range(8)]
    assert [3, 3, 2, 2, 1, 1, 1, 1] == followed(scaling, 3, (0.3, 0.0), *looks)[1:]


def test_a_wait_in_between_begins_the_calm_anew() -> None:
    scaling = Scaling(1, 9, calm_seconds=2)
    assert [2, 2, 2, 2, 1] == followed(scaling, 2, (0.3, 0.0), (0.0, 1.5), (0.3, 1.9), (0.0, 3.8), (0.0, 4.0))


def test_nothing_changes_while_nobody_knows() -> None:
    scaling = Scaling(1, 9, calm_seconds=1)
    assert [2, 2, 2] == followed(scaling, 2, (None, 0.0), (None, 10.0), (None, 20.0))


def test_those_that_died_are_replaced_at_once() -> None:
    assert [2] == followed(Scaling(2, 4), 0, (None, 0.0))


@given(st.integers(1, 4), st.integers(0, 4), st.integers(0, 9), st.lists(st.tuples(ages, st.floats(0, 50))))
def test_it_stays_between_its_bounds_and_moves_by_one(
    least: int, more: int, running: int, looks: list[tuple[float | None, float]]
) -> None:
    scaling, now = Scaling(least, least + more), 0.0
    for age, passed in looks:
        now += passed
        before, running = running, scaling.wanted(running, age, now)
        assert least <= running <= least + more
        assert abs(running - before) <= 1 or not least <= before <= least + more
