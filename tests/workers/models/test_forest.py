"""Forests score as scikit-learn does, and the same in any company."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from tests.workers.models.days import generated
from workers.models import features
from workers.models.forest import AT_ONCE, average_path
from workers.models.growing import SAMPLES, SEED, TREES, grow, taken_out
from workers.models.training import Trained

ROWS = features.rows(generated(400), features.ALL)
OTHERS = features.rows(generated(3 * AT_ONCE // 2, seed=8, upset=range(0, 300, 7)), features.ALL)


@pytest.mark.parametrize("rows", [ROWS, ROWS[:100], ROWS[:2]])
def test_scores_are_those_of_scikit_learn(rows: list[features.Row]) -> None:
    samples = min(SAMPLES, len(rows))
    grown = IsolationForest(n_estimators=TREES, max_samples=samples, random_state=SEED)
    grown.fit(np.asarray(rows, dtype=np.float32))
    theirs = -grown.score_samples(np.asarray(OTHERS, dtype=np.float32))
    assert taken_out(grown, samples).scores(OTHERS) == pytest.approx(list(theirs), rel=1e-14, abs=0.0)


@pytest.mark.slow
def test_the_same_rows_grow_the_same_forest() -> None:
    assert grow(ROWS).path_lengths(OTHERS) == grow(ROWS).path_lengths(OTHERS)
    assert grow(ROWS).path_lengths(OTHERS) != grow(ROWS, seed=SEED + 1).path_lengths(OTHERS)


@pytest.mark.slow
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_a_row_has_one_score_in_any_company(trained: Trained, seed: int, parts: int) -> None:
    random = Random(seed)
    forest = trained.model.forest
    cuts = sorted(random.choices(range(len(OTHERS)), k=parts))
    cut = [OTHERS[a:b] for a, b in zip([0, *cuts], [*cuts, len(OTHERS)], strict=True)]
    assert forest.scores(OTHERS) == [score for part in cut for score in forest.scores(part)]


def test_rows_that_are_scored_one_by_one_have_the_same_scores(trained: Trained) -> None:
    forest = trained.model.forest
    assert forest.scores(OTHERS) == [forest.scores([row])[0] for row in OTHERS]


def test_nothing_has_no_scores(trained: Trained) -> None:
    assert [] == trained.model.scores([])


@pytest.mark.parametrize(("samples", "length"), [(1, 0.0), (2, 1.0), (256, 10.244770920116851)])
def test_the_usual_path_is_the_papers(samples: int, length: float) -> None:
    assert length == pytest.approx(average_path(samples))
