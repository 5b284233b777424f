"""A signal as it is stored."""

from typing import Any

import msgspec

from market.signals import Delivery, Direction, Journey, Signal
from market.ticks import Place

_decode_evidence = msgspec.json.Decoder(dict[str, float]).decode
_decode_parameters = msgspec.json.Decoder(dict[str, int | float]).decode


class StoredSignal(msgspec.Struct, frozen=True):
    """A signal with where it belongs and how it went: times in microseconds."""

    instrument_id: int
    received_at: int
    committed_at: int
    code_version: str
    journey: Journey | None
    signal: Signal

    def delivery(self, coverage: float) -> Delivery:
        """Return how it came to be told, and how much of its input is proven."""
        return Delivery(coverage, self.received_at, self.committed_at, self.code_version, self.journey)


def signal_of(values: dict[str, Any]) -> Signal:
    """Return the signal that the columns of its content tell."""
    first, last = _place(values, "first"), _place(values, "last")
    return Signal(
        direction=Direction(values.pop("direction")),
        evidence=_decode_evidence(values.pop("evidence")),
        parameters=_decode_parameters(values.pop("parameters")),
        first=first,
        last=last,
        source=values.pop("source"),
        **values,
    )


def _place(values: dict[str, Any], end: str) -> Place | None:
    ts, tick_id = values.pop(f"{end}_ts"), values.pop(f"{end}_id")
    return None if ts is None else Place(ts, tick_id)
