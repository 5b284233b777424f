from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.habits import Habit
from market.times import SECOND


def habit(*seconds: float) -> Habit:
    found = Habit(60 * SECOND)
    for each in seconds:
        found.speak(round(each * SECOND))
    return found


def test_before_some_bursts_the_habit_is_not_known_and_the_patience_is_the_usual_one() -> None:
    assert habit().patience == 60 * SECOND
    assert habit(*range(20)).patience == 60 * SECOND
    assert habit(*range(21)).patience == 20 * SECOND


def test_the_usual_patience_doubles_too_and_what_it_became_is_forgotten_with_the_habit_known() -> None:
    found = habit(0, 1)
    found.stretch(61 * SECOND)
    assert found.patience == 240 * SECOND
    for second in range(2, 21):
        found.speak(second * SECOND)
    assert found.patience == 20 * SECOND


def test_where_nobody_can_be_asked_there_is_no_patience_before_the_habit_is_known() -> None:
    found = Habit(None)
    assert found.patience is None
    for second in range(21):
        found.speak(second * SECOND)
    assert found.patience == 20 * SECOND


def test_who_speaks_each_second_may_be_silent_for_twenty() -> None:
    assert habit(*range(100)).patience == 20 * SECOND


def test_who_speaks_each_minute_may_be_silent_for_twenty() -> None:
    assert habit(*range(0, 6000, 60)).patience == 20 * 60 * SECOND


def test_many_words_in_one_burst_are_one() -> None:
    bursts = [minute * 60 + number / 1000 for minute in range(30) for number in range(500)]
    assert habit(*bursts).patience == habit(*range(0, 1800, 60)).patience


def test_an_interruption_is_not_the_streams_own_silence() -> None:
    found = habit(*range(100))
    found.interrupt()
    found.speak(100_000 * SECOND)
    assert found.patience == 20 * SECOND


def test_patience_doubles_with_who_was_only_quiet() -> None:
    found = habit(*range(100))
    found.stretch(21 * SECOND)
    assert found.patience == 80 * SECOND
    found.stretch(SECOND)
    assert found.patience == 160 * SECOND


def test_patience_that_was_stretched_comes_back_with_the_habit() -> None:
    found = habit(*range(100))
    found.stretch(3600 * SECOND)
    assert found.patience == 10_240 * SECOND
    for second in range(3700, 3700 + 1500):
        found.speak(second * SECOND)
    assert found.patience is not None
    assert found.patience <= 60 * SECOND


@pytest.mark.slow
@given(st.lists(st.floats(0, 1000), min_size=30, max_size=200).map(sorted))
def test_a_known_habit_calls_nobody_mute_sooner_than_after_ten_seconds_or_twenty_means(
    seconds: list[float],
) -> None:
    found = Habit(None)
    for each in seconds:
        found.speak(round(each * SECOND))
    mean = max(b - a for a, b in pairwise(seconds))
    assert (
        found.patience is None
        or 10 * SECOND <= found.patience <= 20 * max(SECOND, mean * SECOND) + 20 * SECOND
    )
