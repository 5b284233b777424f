"""A trained model: a forest, what it looks at, and where its score is unusual."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec

from workers.models.features import Row
from workers.models.forest import Forest

ENTER_SHARE: Final = 0.995
LEAVE_SHARE: Final = 0.95
"""Shares of the training scores that lie below where an anomaly begins, and below where it has ended."""

_STEPS: Final = 100


class IsolationModel(msgspec.Struct, frozen=True, eq=False):
    """A forest and the distribution of its scores in training.

    ``quantiles`` are the 0 to 100 hundredths of those. ``confidence`` is 2 * separation - 1, as the check
    out of sample measured it: 0 when the model tells nothing apart.
    """

    features: tuple[str, ...]
    enter: float
    leave: float
    confidence: float
    quantiles: tuple[float, ...]
    forest: Forest

    def scores(self, rows: Sequence[Row]) -> list[float]:
        """Return the score of each row, in (0, 1]."""
        return self.forest.scores(rows)

    def drift(self, scores: Sequence[float]) -> float:
        """Return how far the distribution of ``scores`` lies from that in training, 0 to 1.

        The largest distance of the two, at the hundredths: Kolmogorov's and Smirnov's.
        """
        inner, ordered = self.quantiles[1:-1], sorted(scores)
        return max(_distance(ordered, quantile, step / _STEPS) for step, quantile in enumerate(inner, 1))


def described(features: tuple[str, ...], forest: Forest, rows: Sequence[Row]) -> IsolationModel:
    """Return the model of a forest, with the distribution of its scores over the rows of its training."""
    ordered = sorted(forest.scores(rows))
    return IsolationModel(
        features=features,
        enter=_at(ordered, ENTER_SHARE),
        leave=_at(ordered, LEAVE_SHARE),
        confidence=0.0,
        quantiles=tuple(_at(ordered, step / _STEPS) for step in range(_STEPS + 1)),
        forest=forest,
    )


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _distance(ordered: Sequence[float], quantile: float, share: float) -> float:
    """Return how far ``share`` lies outside of the shares below, and up to, ``quantile``."""
    below, up_to = bisect_left(ordered, quantile), bisect_right(ordered, quantile)
    return max(below / len(ordered) - share, share - up_to / len(ordered), 0.0)
