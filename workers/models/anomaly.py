"""The kind ``anomaly``: a closed minute is unlike those that a model was trained on. Pure.

What is told at the end of a minute is a function of the model and of the minutes of the hour before,
alone; so it is computed anew each time, and nothing is remembered between two looks.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Final

import msgspec

from market.minutes import Minute
from market.signals import Direction, Signal
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
_IN_BPS: Final = ("return", "range", "spread")


class Era(msgspec.Struct, frozen=True, eq=False):
    """A model of an instrument and when it is in force: for minutes that end in (from_ts, to_ts]."""

    version: int
    from_ts: int
    to_ts: int | None
    model: IsolationModel

    def reigns(self, ts: int) -> bool:
        """Tell whether this model decides what is told at ``ts``."""
        return self.from_ts < ts and (self.to_ts is None or ts <= self.to_ts)


class Step(msgspec.Struct, frozen=True):
    """What a model made of one minute: what it saw, the score, the condition after it, and what it tells."""

    minute: Minute
    seen: Mapping[str, float]
    score: float
    edges: Edges
    direction: Direction | None

    @property
    def strength(self) -> float:
        """Return how far the score lies above the usual, 0 to 1."""
        return min(max((self.score - _NEUTRAL) / _NEUTRAL, 0.0), 1.0)


def steps(era: Era, minutes: Sequence[Minute]) -> Iterator[Step]:
    """Yield what a model makes of minutes in their order.

    Right for everything after the first MEMORY of them, or after the model's own beginning: what was
    before that it never saw.
    """
    reigned = [minute for minute in minutes if era.reigns(minute.bar.end)]
    thresholds, edges = _thresholds(era.model), Edges()
    for minute, seen, score in _scored(era.model, reigned):
        edges, direction = edges.step(thresholds, minute.bar.end, score)
        yield Step(minute, seen, score, edges, direction)


def told(era: Era, minutes: Sequence[Minute]) -> list[Signal]:
    """Return what a model tells of minutes in their order."""
    return [_signal(era, step, step.direction) for step in steps(era, minutes) if step.direction]


def evidence(model: IsolationModel, step: Step) -> dict[str, float]:
    """Return the numbers behind a step, with their units."""
    named = {f"{name}_bps" if name in _IN_BPS else name: value for name, value in step.seen.items()}
    return {"score": step.score, "threshold": model.enter, **named}


def _signal(era: Era, step: Step, direction: Direction) -> Signal:
    bar = step.minute.bar
    return Signal(
        kind=KIND,
        version=era.version,
        ts=bar.end,
        direction=direction,
        strength=step.strength,
        confidence=era.model.confidence,
        price=bar.close,
        evidence=evidence(era.model, step),
        from_ts=bar.start,
        to_ts=bar.end,
        parameters=_parameters(era.model),
        warm=bar.end - era.from_ts >= MEMORY,
    )


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
