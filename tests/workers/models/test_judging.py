"""A model is judged on minutes that it has not seen, beside the one in use."""

import msgspec
import pytest

from market.errors import UntrainableError
from tests.workers.models.days import generated
from workers.models import features
from workers.models.judging import Metrics, injected, judge, measure
from workers.models.training import LEAST_MINUTES, Trained, check, split, train

GOOD = Metrics(separation=0.95, alarms=0.01, drift=0.1, held_out=200)
HELD_OUT = generated(300, seed=9)
ROWS = features.rows(HELD_OUT, features.ALL)


def but(**fields: float) -> Metrics:
    return msgspec.structs.replace(GOOD, **fields)


def test_a_model_of_ordinary_days_passes(trained: Trained) -> None:
    assert judge(trained.metrics, None).passed
    assert 0.9 < trained.metrics.separation < 1.0
    assert 288 == trained.metrics.held_out


def test_injected_anomalies_are_the_same_each_time_and_differ_from_what_they_copy() -> None:
    copies = injected(ROWS, features.ALL)
    assert copies == injected(ROWS, features.ALL)
    assert all(copy != row for copy, row in zip(copies, ROWS, strict=True))


def test_anomalies_can_be_injected_where_a_feature_never_changes() -> None:
    assert 5 == len(injected([(1.0, 0.0)] * 5, ("return", "range")))


def test_a_model_that_tells_nothing_apart_has_half_a_separation(trained: Trained) -> None:
    blind = msgspec.structs.replace(
        trained.model.forest, feature=trained.model.forest.feature * 0, number=trained.model.forest.number * 0
    )
    metrics = measure(msgspec.structs.replace(trained.model, forest=blind), ROWS)
    assert 0.5 == metrics.separation
    assert not judge(metrics, None).passed


def test_a_model_whose_usual_minutes_are_alarms_does_not_pass(trained: Trained) -> None:
    storms = features.rows(generated(300, seed=9, upset=range(0, 300, 2)), features.ALL)
    metrics = measure(trained.model, storms)
    assert 0.4 < metrics.alarms
    assert not judge(metrics, None).passed


def test_scores_of_minutes_like_those_of_training_have_not_drifted(trained: Trained) -> None:
    same = features.rows(split(generated(1440))[0], features.ALL)
    assert 0.0 == trained.model.drift(trained.model.scores(same))
    calm = [tuple(value * 0.1 for value in row) for row in ROWS]
    assert 0.5 < trained.model.drift(trained.model.scores(calm))


@pytest.mark.parametrize(
    ("mine", "theirs", "passes"),
    [
        (GOOD, None, True),
        (GOOD, GOOD, True),
        (but(separation=0.79), None, False),
        (but(alarms=0.051), None, False),
        (but(separation=0.945), GOOD, True),
        (but(separation=0.935), GOOD, False),
        (but(drift=0.49), GOOD, True),
        (but(drift=0.51), None, False),
        (but(alarms=0.019), GOOD, True),
        (but(alarms=0.021), GOOD, False),
        (but(alarms=0.04), but(alarms=0.04), True),
    ],
)
def test_a_candidate_is_held_against_bounds_and_against_the_one_in_use(
    mine: Metrics, theirs: Metrics | None, *, passes: bool
) -> None:
    assert passes == judge(mine, theirs).passed


def test_the_one_in_use_is_measured_on_the_same_minutes(trained: Trained) -> None:
    verdict, theirs = check(GOOD, HELD_OUT, trained.model)
    assert theirs == measure(trained.model, ROWS)
    assert verdict == judge(GOOD, theirs)


def test_one_in_use_that_cannot_look_at_these_minutes_is_not_held_against_it(trained: Trained) -> None:
    _, theirs = check(GOOD, generated(300, quoted=False), trained.model)
    assert theirs is None


def test_without_spreads_a_model_is_trained_on_the_rest() -> None:
    assert features.ALL[:-1] == train(generated(400, quoted=False)).model.features


def test_too_few_minutes_are_not_trained_on() -> None:
    with pytest.raises(UntrainableError, match=f"{LEAST_MINUTES} are needed"):
        train(generated(LEAST_MINUTES - 1))
    assert 24 == train(generated(LEAST_MINUTES)).metrics.held_out


def test_confidence_is_what_the_check_found(trained: Trained) -> None:
    assert 2 * trained.metrics.separation - 1 == trained.model.confidence
