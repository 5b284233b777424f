"""Check a model out of sample, and hold it against the one in use. Pure.

Nobody knows which minutes are anomalies, so anomalies are made: held-out minutes are copied, and features
of each copy are pushed away by 4 to 8 robust deviations, as a jump of price, a burst of trading, a
one-sided tape, or a gaping book would. A good model gives those higher scores than the untouched minutes.
Realistic synthetic anomalies for benchmarks without labels: G. Steinbuss, K. Böhm, *Benchmarking
Unsupervised Outlier Detection with Realistic Synthetic Data* (ACM TKDD 15, 2021); A. Emmott et al.,
*Systematic Construction of Anomaly Detection Benchmarks from Real Data* (ACM SIGKDD ODD 2013).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from random import Random
from statistics import median
from typing import Final

import msgspec

from workers.models.features import Row
from workers.models.isolation import IsolationModel

LEAST_SEPARATION: Final = 0.8
MOST_ALARMS: Final = 0.05
"""Ten times the share of the training minutes that lie beyond the threshold."""

MOST_DRIFT: Final = 0.5
"""Hours of the day alone move scores by a third, so only more than that says that the past was another."""

SEPARATION_LOST: Final = 0.01
ALARMS_GAINED: Final = 0.01
"""By how much a model may be worse than the one in use: less is chance."""

_NEAREST, _FARTHEST = 4.0, 8.0
_ROBUST: Final = 1.4826  # median absolute deviation to standard deviation, for a normal distribution
_SEED: Final = 11

_PUSHES: Final[tuple[Mapping[str, float], ...]] = (
    {"return": 1.0, "range": 1.0},
    {"return": -1.0, "range": 1.0},
    {"volume": 1.0, "trades": 1.0},
    {"volume": 1.0, "imbalance": 1.0},
    {"range": 1.0, "spread": 1.0},
)
"""What is pushed together, and which way; the imbalance goes to its end."""


class Metrics(msgspec.Struct, frozen=True):
    """How a model did on minutes that it was not trained on.

    ``separation`` is the probability that an injected anomaly scores above an untouched minute (the area
    under the ROC curve), ``alarms`` the share of untouched minutes at or beyond the threshold, ``drift`` how
    far the distribution of their scores lies from that in training (Kolmogorov-Smirnov).
    """

    separation: float
    alarms: float
    drift: float
    held_out: int


class Verdict(msgspec.Struct, frozen=True):
    """Whether a model may be used, and why."""

    passed: bool
    reason: str


def injected(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """Return for each row a copy that is an anomaly; the same rows give the same copies."""
    random = Random(_SEED)  # noqa: S311 - a fixed seed, and no secret
    deviations = [_deviation([each[column] for each in rows]) for column in range(len(names))]
    return [
        _pushed(each, names, deviations, _PUSHES[number % len(_PUSHES)], random.uniform(_NEAREST, _FARTHEST))
        for number, each in enumerate(rows)
    ]


def measure(model: IsolationModel, rows: Sequence[Row]) -> Metrics:
    """Return how a model does on held-out rows of its features."""
    scores = sorted(model.scores(rows))
    anomalous = model.scores(injected(rows, model.features))
    return Metrics(
        separation=_separation(scores, anomalous),
        alarms=(len(scores) - bisect_left(scores, model.enter)) / len(scores),
        drift=model.drift(scores),
        held_out=len(rows),
    )


def judge(metrics: Metrics, in_use: Metrics | None) -> Verdict:
    """Hold a candidate's metrics against fixed bounds, and against those of the model in use."""
    if metrics.separation < LEAST_SEPARATION:
        return _failed(f"separation {metrics.separation:.3f} is below {LEAST_SEPARATION}")
    if metrics.alarms > MOST_ALARMS:
        return _failed(f"{metrics.alarms:.1%} of held-out minutes are alarms, more than {MOST_ALARMS:.0%}")
    if metrics.drift > MOST_DRIFT:
        return _failed(f"scores drifted by {metrics.drift:.3f} since training, more than {MOST_DRIFT}")
    if in_use is None:
        return Verdict(passed=True, reason=f"separation {metrics.separation:.3f}; none was in use")
    return _against(metrics, in_use)


def _against(metrics: Metrics, in_use: Metrics) -> Verdict:
    if metrics.separation < in_use.separation - SEPARATION_LOST:
        return _failed(f"separation {metrics.separation:.3f}, and the one in use has {in_use.separation:.3f}")
    if metrics.alarms > in_use.alarms + ALARMS_GAINED:
        return _failed(f"{metrics.alarms:.1%} are alarms, and of the one in use {in_use.alarms:.1%}")
    return Verdict(
        passed=True, reason=f"separation {metrics.separation:.3f}, the one in use {in_use.separation:.3f}"
    )


def _failed(why: str) -> Verdict:
    return Verdict(passed=False, reason=why)


def _pushed(
    row: Row, names: Sequence[str], deviations: Sequence[float], push: Mapping[str, float], far: float
) -> Row:
    return tuple(
        _end(value, push[name])
        if name == "imbalance" and name in push
        else value + push.get(name, 0.0) * far * deviation
        for value, name, deviation in zip(row, names, deviations, strict=True)
    )


def _end(value: float, way: float) -> float:
    return way if value < way else -way


def _deviation(values: Sequence[float]) -> float:
    """Return the robust deviation; of values that are mostly one, the mean distance from it."""
    middle = median(values)
    distances = [abs(value - middle) for value in values]
    return _ROBUST * median(distances) or sum(distances) / len(distances)


def _separation(usual: Sequence[float], anomalous: Sequence[float]) -> float:
    """Return the share of pairs in which the anomaly is higher; equal scores count half."""
    halves = sum(bisect_left(usual, score) + bisect_right(usual, score) for score in anomalous)
    return halves / (2 * len(usual) * len(anomalous))
