import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import InvalidInputError
from sim.pacing import MAX, Pace, parse_speed


class Watch:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@given(st.lists(st.integers(0, 10**9), min_size=1), st.sampled_from([0.5, 1.0, 10.0]))
async def test_frames_are_due_as_recorded_at_the_speed_asked(gaps: list[int], speed: float) -> None:
    watch = Watch()
    pace = Pace(speed, watch.now, watch.sleep)
    recorded_at = 1_723_161_253_937_085
    await pace.wait(recorded_at)
    for gap in gaps:
        await pace.wait(recorded_at := recorded_at + gap)
    assert sum(gaps) / 1e6 / speed == pytest.approx(watch.seconds - 100.0)


async def test_at_most_speed_nothing_is_waited_for() -> None:
    watch = Watch()
    pace = Pace(MAX, watch.now, watch.sleep)
    waited = [await pace.wait(recorded_at) for recorded_at in (0, 10**12, 2 * 10**12)]
    assert [False, False, False] == waited


async def test_who_is_late_catches_up_without_waiting() -> None:
    watch = Watch()
    pace = Pace(1.0, watch.now, watch.sleep)
    await pace.wait(0)
    watch.seconds += 5.0
    waited = [await pace.wait(seconds * 1_000_000) for seconds in (1, 5, 6)]
    assert [False, False, True] == waited


async def test_after_a_restart_the_next_frame_is_due_at_once() -> None:
    watch = Watch()
    pace = Pace(1.0, watch.now, watch.sleep)
    await pace.wait(0)
    pace.restart()
    assert not await pace.wait(60_000_000)


def test_a_speed_is_a_multiple_or_max() -> None:
    expected = [1.0, 0.5, MAX]
    assert expected == [parse_speed(text) for text in ("1", "0.5", "max")]


@pytest.mark.parametrize("text", ["0", "-1", "fast", "", "nan"])
def test_any_other_speed_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="neither a positive number nor 'max'"):
        parse_speed(text)
