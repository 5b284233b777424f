"""Closed, open, half-open."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ingest.outbound.breaker import FAILURES, Breaker, State


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(time: Time) -> Breaker:
    breaker = Breaker(time)
    for _ in range(FAILURES):
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row() -> None:
    breaker = Breaker(Time())
    for _ in range(FAILURES - 1):
        breaker.failed()
    breaker.succeeded()
    for _ in range(FAILURES - 1):
        breaker.failed()
        assert breaker.allows()
    breaker.failed()
    assert (State.OPEN, False, 5.0) == (breaker.state, breaker.allows(), breaker.seconds_left)


def test_one_try_is_let_through_after_a_rest_and_its_success_closes_it() -> None:
    time = Time()
    breaker = opened(time)
    time.now += 5
    assert [True, False, False] == [breaker.allows() for _ in range(3)]
    assert breaker.state == State.HALF_OPEN
    breaker.succeeded()
    assert (State.CLOSED, True) == (breaker.state, breaker.allows())


def test_each_try_that_fails_doubles_the_rest_up_to_a_minute() -> None:
    time = Time()
    breaker = opened(time)
    rests = []
    for _ in range(8):
        time.now += breaker.seconds_left
        assert breaker.allows()
        breaker.failed()
        rests.append(breaker.seconds_left)
    assert [10, 20, 40, 60, 60, 60, 60, 60] == rests


def test_a_try_that_tells_nothing_keeps_others_away_for_one_rest_only() -> None:
    time = Time()
    breaker = opened(time)
    time.now += 5
    assert breaker.allows()
    time.now += 4.9
    assert not breaker.allows()
    time.now += 0.2
    assert breaker.allows()


class Breakers(RuleBasedStateMachine):
    """Whatever happens, it can be tried again within the longest rest, and is closed by success."""

    def __init__(self) -> None:
        super().__init__()
        self.time = Time()
        self.breaker = Breaker(self.time)
        self.in_a_row = 0

    @rule()
    def succeed(self) -> None:
        self.breaker.succeeded()
        self.in_a_row = 0
        assert self.breaker.state == State.CLOSED

    @rule()
    def fail(self) -> None:
        self.breaker.failed()
        self.in_a_row += 1

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.time.now += seconds

    @rule()
    def ask(self) -> None:
        closed, left = self.breaker.state == State.CLOSED, self.breaker.seconds_left
        assert self.breaker.allows() == (closed or not left)

    @invariant()
    def is_open_after_too_many_failures_alone(self) -> None:
        assert (self.breaker.state == State.CLOSED) == (self.in_a_row < FAILURES)
        assert round(self.breaker.seconds_left, 6) <= 60


TestBreakers = pytest.mark.slow(Breakers.TestCase)
