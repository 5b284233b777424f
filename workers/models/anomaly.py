"""The kind ``anomaly``: a closed minute is unlike those that a model was trained on. Pure.

What is told at the end of a minute is a function of the model and of the minutes of the hour before,
alone; so it is computed anew each time, and nothing is remembered between two looks.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Final

import msgspec

from market.minutes import Minute
from market.signals import Signal
from market.times import MINUTE
from workers.kinds.edges import IN_FORCE, Edges, Thresholds
from workers.models.features import measured, row
from workers.models.isolation import IsolationModel

KIND: Final = "anomaly"

WINDOW: Final = 10 * MINUTE
"""Microseconds of the windows of event time in each of which at most one beginning is told."""

MEMORY: Final = (IN_FORCE + 1) * WINDOW
"""Microseconds beyond which earlier minutes change nothing."""

_NEUTRAL: Final = 0.5
_ON_EVIDENCE: Final = ("return", "range", "spread")


class Era(msgspec.Struct, frozen=True, eq=False):
    """A model of an instrument and when it is in force: for minutes that end in (from_ts, to_ts]."""

    version: int
    from_ts: int
    to_ts: int | None
    model: IsolationModel

    def reigns(self, ts: int) -> bool:
        """Tell whether this model decides what is told at ``ts``."""
        return self.from_ts < ts and (self.to_ts is None or ts <= self.to_ts)


def told(era: Era, minutes: Sequence[Minute]) -> list[Signal]:
    """Return what a model tells of minutes in their order.

    Right for everything after the first MEMORY of them, or after the model's own beginning: what was
    before that it never saw.
    """
    reigned = [minute for minute in minutes if era.reigns(minute.bar.end)]
    thresholds = _thresholds(era.model)
    edges, signals = Edges(), []
    for minute, seen, score in _scored(era.model, reigned):
        edges, direction = edges.step(thresholds, minute.bar.end, score)
        if direction is not None:
            signals.append(
                Signal(
                    kind=KIND,
                    version=era.version,
                    ts=minute.bar.end,
                    direction=direction,
                    strength=min(max((score - _NEUTRAL) / _NEUTRAL, 0.0), 1.0),
                    confidence=era.model.confidence,
                    price=minute.bar.close,
                    evidence=_evidence(era.model, score, seen),
                    from_ts=minute.bar.start,
                    to_ts=minute.bar.end,
                    parameters=_parameters(era.model),
                    warm=minute.bar.end - era.from_ts >= MEMORY,
                )
            )
    return signals


def _scored(
    model: IsolationModel, minutes: Sequence[Minute]
) -> list[tuple[Minute, Mapping[str, float], float]]:
    """Return the minutes that the model can look at, what it sees, and their scores."""
    seen = [(minute, features) for minute in minutes if (features := measured(minute)) is not None]
    usable = [
        (minute, features, values)
        for minute, features in seen
        if (values := row(features, model.features)) is not None
    ]
    scores = model.scores([values for _, _, values in usable])
    return [(minute, features, score) for (minute, features, _), score in zip(usable, scores, strict=True)]


def _thresholds(model: IsolationModel) -> Thresholds:
    return Thresholds(model.enter, model.leave, -inf, -inf, WINDOW)


def _parameters(model: IsolationModel) -> dict[str, int | float]:
    return {"enter": model.enter, "leave": model.leave, "window_minutes": WINDOW // MINUTE}


def _evidence(model: IsolationModel, score: float, seen: Mapping[str, float]) -> dict[str, float]:
    named = {f"{name}_bps" if name in _ON_EVIDENCE else name: value for name, value in seen.items()}
    return {"score": score, "threshold": model.enter, **named}
