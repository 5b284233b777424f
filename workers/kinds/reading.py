"""What a kind measured at one instant, and the signal that an edge makes of it."""

from typing import Any, Protocol, runtime_checkable

import msgspec

from market.indicators import Indicator
from market.signals import Signal
from workers.kinds.edges import Edges, Thresholds
from workers.kinds.fold import AnyFold


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A value at ``to_ts``, with all that a signal would say of it.

    ``value`` is what the thresholds are held against; the rest are the fields of a signal: ``strength``
    has the sign of the value.
    """

    value: float
    strength: float
    confidence: float
    price: float
    evidence: dict[str, float]
    from_ts: int
    to_ts: int


@runtime_checkable
class Gauge(Protocol):
    """A kind whose readings are kept as indicators, beside its signals."""

    def measure(self, state: Any, item: Any, /) -> Reading | None:  # noqa: ANN401 - whatever the kind takes
        """Return what is read at ``item``, the last that ``state`` has taken in; None: nothing."""


def decide(
    fold: AnyFold, thresholds: Thresholds, edges: Edges, reading: Reading
) -> tuple[Edges, Signal | None]:
    """Return the edges after ``reading``, and the signal that it decides, if any."""
    edges, direction = edges.step(thresholds, reading.to_ts, reading.value)
    if direction is None:
        return edges, None
    return edges, Signal(
        kind=fold.kind,
        version=fold.version,
        ts=reading.to_ts,
        direction=direction,
        strength=reading.strength,
        confidence=reading.confidence,
        price=reading.price,
        evidence=reading.evidence,
        from_ts=reading.from_ts,
        to_ts=reading.to_ts,
        warm=edges.warm,
    )


def indicator(fold: AnyFold, reading: Reading, ts: int) -> Indicator:
    """Return ``reading`` as it is kept: the last one before ``ts``."""
    return Indicator(
        kind=fold.kind,
        version=fold.version,
        ts=ts,
        values=reading.evidence,
        confidence=reading.confidence,
        from_ts=reading.from_ts,
        to_ts=reading.to_ts,
        source=fold.input.source,
    )
