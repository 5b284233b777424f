from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from runtime.backoff import delays


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    highest = delays(0.5, 3.0, draw=lambda _low, high: high)
    assert [0.5, 1.0, 2.0, 3.0, 3.0] == list(islice(highest, 5))


@given(st.floats(0.001, 10), st.floats(10, 100))
def test_no_delay_is_negative_or_above_the_cap(first: float, cap: float) -> None:
    assert all(0 <= delay <= cap for delay in islice(delays(first, cap), 50))
