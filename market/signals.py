"""A signal: an edge of a condition, with what it was seen in."""

from enum import StrEnum

import msgspec

from market.gaps import TRADES
from market.ticks import Place


class Direction(StrEnum):
    """What the condition says: it became true upwards or downwards, or it ended."""

    UP = "up"
    DOWN = "down"
    ENDED = "ended"


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One edge of one kind at one instant.

    ``strength`` lies in [-1, 1] and has the sign of the value; ``confidence`` lies in [0, 1]. ``from_ts``
    and ``to_ts`` bound the input that the value was computed from (half-open at the start), and ``first``
    and ``last`` are its first and last tick. ``version`` counts changes of the fold: together with kind
    and ``ts`` it names the signal on its instrument. ``warm``: all of the kind's memory had been seen.
    ``source`` is which ticks it was computed from, ``trades`` or ``depths``: its coverage is theirs.
    """

    kind: str
    version: int
    ts: int
    direction: Direction
    strength: float
    confidence: float
    price: float
    evidence: dict[str, float]
    from_ts: int
    to_ts: int
    first: Place | None = None
    last: Place | None = None
    parameters: dict[str, int | float] = {}
    parameters_version: int = 0
    warm: bool = True
    source: str = TRADES


class Journey(msgspec.Struct, frozen=True):
    """When the tick that decided a signal was where, in microseconds: the signal's budget of latency.

    ``ts`` is the venue's own time of that tick, ``stored_at`` when it was committed, ``claimed_at`` when a
    worker had claimed it. ``stored_at`` is None when the tick had been claimed before. The signal's
    ``committed_at``, when it had been computed, ends the journey.
    """

    ts: int
    received_at: int
    stored_at: int | None
    claimed_at: int

    def latency_ms(self, committed_at: int) -> dict[str, float | None]:
        """Return the milliseconds of each leg, by the clocks of venue, ingester, database, and worker."""
        stored = self.stored_at
        return {
            "venue_to_received": _ms(self.ts, self.received_at),
            "received_to_committed": None if stored is None else _ms(self.received_at, stored),
            "committed_to_claimed": None if stored is None else _ms(stored, self.claimed_at),
            "claimed_to_computed": _ms(self.claimed_at, committed_at),
        }


class Delivery(msgspec.Struct, frozen=True):
    """How a signal came to be told, which is no part of what it says."""

    coverage: float
    received_at: int
    committed_at: int
    code_version: str
    journey: Journey | None = None

    @property
    def latency_ms(self) -> dict[str, float | None] | None:
        """Return the milliseconds of each leg; None when it was computed again, later."""
        return self.journey.latency_ms(self.committed_at) if self.journey else None


def _ms(began: int, ended: int) -> float:
    return (ended - began) / 1000
