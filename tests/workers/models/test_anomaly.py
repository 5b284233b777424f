"""Anomalies are edges: a pure function of a model and the hour before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.signals import Direction
from market.times import MINUTE
from tests.workers.models.days import START, generated
from workers.models.anomaly import MEMORY, WINDOW, Era, told
from workers.models.training import Trained

pytestmark = pytest.mark.slow

UPSET = (70, 71, 130, 135, 141, 200)
MINUTES = generated(300, seed=5, upset=UPSET)


@pytest.fixture
def era(trained: Trained) -> Era:
    return Era(3, START - 1, None, trained.model)


def test_an_upset_is_told_once_and_then_its_end(era: Era) -> None:
    signals = [signal for signal in told(era, MINUTES) if 70 <= (signal.ts - START) // MINUTE - 1 <= 73]
    assert [Direction.UP, Direction.ENDED] == [signal.direction for signal in signals]
    assert [70, 72] == [(signal.from_ts - START) // MINUTE for signal in signals]


def test_a_signal_names_its_model_and_says_what_it_saw(era: Era) -> None:
    signal = next(signal for signal in told(era, MINUTES) if signal.from_ts == START + 70 * MINUTE)
    bar = MINUTES[70].bar
    assert ("anomaly", 3, bar.end, bar.start, bar.end, bar.close) == (
        signal.kind, signal.version, signal.ts, signal.from_ts, signal.to_ts, signal.price
    )  # fmt: skip
    assert signal.evidence["score"] >= signal.evidence["threshold"] == era.model.enter
    assert {
        "score", "threshold", "return_bps", "range_bps", "volume", "trades", "imbalance", "spread_bps"
    } == set(signal.evidence)  # fmt: skip
    assert 2 * signal.evidence["score"] - 1 == pytest.approx(signal.strength)
    assert era.model.confidence == signal.confidence


def test_a_signal_is_warm_once_its_model_was_in_force_for_as_long_as_it_remembers(era: Era) -> None:
    assert all(signal.warm for signal in told(era, MINUTES) if signal.ts > START + MEMORY)
    late = Era(3, START + 20 * MINUTE, None, era.model)
    cold = [signal.warm for signal in told(late, MINUTES) if signal.ts - late.from_ts < MEMORY]
    assert cold
    assert not any(cold)


def test_at_most_one_beginning_is_told_in_a_window(era: Era) -> None:
    windows = [s.ts // WINDOW for s in told(era, MINUTES) if s.direction is Direction.UP]
    assert sorted(set(windows)) == windows


def test_usual_minutes_are_seldom_told(era: Era) -> None:
    assert 6 > len(told(era, generated(300, seed=6)))


@given(st.integers(0, 299))
def test_what_lies_before_the_memory_changes_nothing(trained: Trained, first: int) -> None:
    era = Era(1, START - 1, None, trained.model)
    since = START + first * MINUTE + MEMORY
    whole = [signal for signal in told(era, MINUTES) if signal.ts > since]
    assert whole == [signal for signal in told(era, MINUTES[first:]) if signal.ts > since]


@given(st.integers(0, 299))
def test_what_follows_changes_nothing(trained: Trained, cut: int) -> None:
    era = Era(1, START - 1, None, trained.model)
    end = START + cut * MINUTE
    assert told(era, MINUTES[:cut]) == [signal for signal in told(era, MINUTES) if signal.ts <= end]


def test_a_model_tells_nothing_of_minutes_outside_its_reign(trained: Trained) -> None:
    began, ended = START + 71 * MINUTE, START + 136 * MINUTE
    signals = told(Era(1, began, ended, trained.model), MINUTES)
    assert signals
    assert all(began < signal.ts <= ended for signal in signals)
    assert signals == told(Era(1, began, ended, trained.model), MINUTES[71:136])


def test_minutes_that_lack_a_feature_are_not_computed_from_nothing(era: Era) -> None:
    assert [] == told(era, generated(300, seed=5, upset=UPSET, quoted=False))
