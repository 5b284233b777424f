"""Grow a forest with scikit-learn, and take its trees out of it as plain arrays.

scikit-learn is imported when the first forest is grown: only what trains pays for it.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

import numpy as np

from workers.models.features import Row
from workers.models.forest import LEAF, Forest, average_path

TREES: Final = 100
SAMPLES: Final = 256
"""Trees, and rows that each sees: the paper's, beyond which it found no gain."""

SEED: Final = 7


def grow(rows: Sequence[Row], seed: int = SEED) -> Forest:
    """Return a forest of these rows; the same rows and seed give the same forest."""
    from sklearn.ensemble import IsolationForest

    samples = min(SAMPLES, len(rows))
    grown = IsolationForest(n_estimators=TREES, max_samples=samples, random_state=seed)
    grown.fit(np.asarray(rows, dtype=np.float32))
    return taken_out(grown, samples)


def taken_out(grown: Any, samples: int) -> Forest:  # noqa: ANN401 - scikit-learn has no types
    """Return the trees of a fitted IsolationForest."""
    trees = [estimator.tree_ for estimator in grown.estimators_]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    return Forest(
        max_samples=samples,
        roots=starts.astype(np.int32),
        left=_joined([_moved(tree.children_left, start) for tree, start in zip(trees, starts, strict=True)]),
        right=_joined(
            [_moved(tree.children_right, start) for tree, start in zip(trees, starts, strict=True)]
        ),
        feature=_joined([np.maximum(tree.feature, 0) for tree in trees]),
        number=np.concatenate([_numbers(tree) for tree in trees]),
    )


def libraries() -> Mapping[str, str]:
    """Return the versions of what forests are grown with."""
    return {name: version(name) for name in ("scikit-learn", "numpy")}


def _joined(parts: Sequence[Any]) -> Any:  # noqa: ANN401 - an array of whole numbers
    return np.concatenate(parts).astype(np.int32)


def _moved(children: Any, start: int) -> Any:  # noqa: ANN401 - arrays out of scikit-learn
    return np.where(children == LEAF, LEAF, children + start)


def _numbers(tree: Any) -> Any:  # noqa: ANN401 - a tree of scikit-learn
    """Return thresholds, and at leaves the path length: the depth, and what a fuller tree would add."""
    depths = [0] * tree.node_count
    numbers = [float(threshold) for threshold in tree.threshold]
    for node in range(tree.node_count):
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == LEAF:
            numbers[node] = depths[node] + average_path(int(tree.n_node_samples[node]))
        else:
            depths[left] = depths[right] = depths[node] + 1
    return np.asarray(numbers, dtype=np.float64)
