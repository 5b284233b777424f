"""When a chore is due follows from its last run alone."""

import pytest

from db.schedules import LastRun
from market.errors import InvalidInputError
from market.times import DAY, HOUR, MINUTE, SECOND, to_datetime
from workers import chores
from workers.settings import WorkerSettings

SETTINGS = WorkerSettings(verify_hour=2)
MIDNIGHT = 1_760_659_200 * SECOND
"""2025-10-17T00:00:00Z"""
TWO = MIDNIGHT + 2 * HOUR


def last(state: str, began_at: int, interrupted: int = 0) -> LastRun:
    return LastRun(
        run_id=1,
        name="any",
        state=state,
        asked_at=began_at,
        began_at=began_at,
        ended_at=None,
        detail="",
        interrupted=interrupted,
        interrupted_since=began_at if interrupted else None,
    )


def due(chore: chores.Chore, before: LastRun | None, now: int) -> int:
    found = chores.next_run(chore, before, SETTINGS, now)
    return int((found - to_datetime(0)).total_seconds()) * SECOND


def test_a_chore_that_never_ran_is_due_at_once() -> None:
    assert due(chores.PARTITIONS, None, TWO) == TWO


def test_the_nights_chore_waits_for_its_first_night() -> None:
    assert due(chores.VERIFY, None, TWO + SECOND) == TWO + DAY


def test_an_interval_counts_from_the_last_run_whoever_led_then() -> None:
    assert due(chores.PARTITIONS, last("done", TWO), TWO + MINUTE) == TWO + HOUR


def test_what_was_due_while_nobody_led_is_done_at_once() -> None:
    later = TWO + 3 * DAY + 5 * HOUR
    assert due(chores.PARTITIONS, last("failed", TWO), later) == later
    assert due(chores.VERIFY, last("done", TWO), later) == later


def test_a_night_is_done_once_though_clocks_differ() -> None:
    assert due(chores.VERIFY, last("done", TWO - SECOND), TWO + MINUTE) == TWO + DAY


@pytest.mark.parametrize(("times", "at"), [(1, TWO + HOUR), (2, TWO + HOUR), (3, TWO + DAY)])
def test_an_interrupted_run_is_begun_again_some_times(times: int, at: int) -> None:
    assert due(chores.VERIFY, last("interrupted", TWO, interrupted=times), TWO + HOUR) == at


def test_an_unknown_chore_is_told_with_the_nearest() -> None:
    with pytest.raises(InvalidInputError, match="did you mean verify"):
        chores.named("verfy")


def test_every_chore_says_when_it_is_done() -> None:
    assert {
        "every 1 h",
        "every 10 min",
        "every 15 min",
        "every 6 h",
        "every 24 h",
        "each night at 02:00 UTC",
    } == {chores.rhythm(chore, SETTINGS) for chore in chores.TABLE}
