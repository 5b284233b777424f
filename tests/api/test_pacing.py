"""How long who asks for more has to wait."""

from hypothesis import given
from hypothesis import strategies as st

from api.pace import Pace


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_so_much_is_had_at_once_and_the_rest_one_by_one() -> None:
    clock = Clock()
    pace = Pace(0.5, 4, clock)
    assert [0, 0, 0.5, 1.5] == [pace.take(count) for count in (1, 3, 1, 2)]
    clock.seconds += 100
    assert [0, 0.5] == [pace.take(4), pace.take(1)]


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 10)), max_size=30))
def test_who_waits_as_told_never_has_more_than_is_allowed(asked: list[tuple[int, float]]) -> None:
    clock = Clock()
    pace, had = Pace(0.5, 4, clock), 0
    for count, idle in asked:
        clock.seconds += idle
        clock.seconds += pace.take(count)
        had += count
        assert had <= 4 + (clock.seconds - 1000) / 0.5 + 1e-6
