"""Train a model on one part of the minutes, and measure it on the later part."""

from collections.abc import Sequence
from typing import Final

import msgspec

from market.errors import UntrainableError
from market.minutes import Minute
from workers.models import features
from workers.models.growing import grow
from workers.models.isolation import IsolationModel, described
from workers.models.judging import Metrics, Verdict, judge, measure

LEAST_MINUTES: Final = 120
"""Fewer say nothing: a twentieth of the rest would be a handful."""

_TRAINED_ON: Final = 0.8


class Trained(msgspec.Struct, frozen=True, eq=False):
    """A model and how it did out of sample."""

    model: IsolationModel
    metrics: Metrics


def split(minutes: Sequence[Minute]) -> tuple[Sequence[Minute], Sequence[Minute]]:
    """Return the minutes to train on, and the later ones that are held out."""
    at = int(len(minutes) * _TRAINED_ON)
    return minutes[:at], minutes[at:]


def train(minutes: Sequence[Minute]) -> Trained:
    """Return a model of these minutes, in their order; the same minutes give the same model.

    Raises UntrainableError when they are too few.
    """
    names = features.chosen(minutes)
    earlier, later = (features.rows(part, names) for part in split(minutes))
    if len(earlier) + len(later) < LEAST_MINUTES or not later:
        message = (
            f"{len(earlier) + len(later)} minutes can be trained on, and {LEAST_MINUTES} are needed: "
            "wait, or fetch more history"
        )
        raise UntrainableError(message)
    model = described(names, grow(earlier), earlier)
    metrics = measure(model, later)
    return Trained(msgspec.structs.replace(model, confidence=_confidence(metrics)), metrics)


def check(
    metrics: Metrics, held_out: Sequence[Minute], in_use: IsolationModel | None
) -> tuple[Verdict, Metrics | None]:
    """Judge a candidate beside the model in use, measured on the same minutes."""
    rows = features.rows(held_out, in_use.features) if in_use else []
    theirs = measure(in_use, rows) if in_use and rows else None
    return judge(metrics, theirs), theirs


def _confidence(metrics: Metrics) -> float:
    return min(max(2.0 * metrics.separation - 1.0, 0.0), 1.0)
