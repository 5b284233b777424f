"""Momentum: the fast average of closes crosses the slow one (Appel, MACD)."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from market.bars import Bar
from market.signals import Signal
from workers.kinds.closes import Closes, ClosesState, density, ema
from workers.kinds.edges import MEMORY, symmetric
from workers.kinds.fold import Input, Memory
from workers.kinds.reading import Reading, decide

RECURSION = 8
"""Periods of closes that an average is computed from: what lies before would weigh less than 1e-6."""

BASIS_POINTS = 10_000


class Momentum(msgspec.Struct, frozen=True):
    """Up while the fast average is well above the slow one, down while well below, in basis points."""

    fast: int = 12
    slow: int = 26
    enter_bps: float = 0.5
    leave_bps: float = 0.0
    full_bps: float = 5.0

    kind: ClassVar[str] = "momentum"
    version: ClassVar[int] = 1
    input: ClassVar[Input] = Input.BARS
    state_type: ClassVar[type[ClosesState]] = ClosesState

    @property
    def parameters(self) -> Mapping[str, float]:
        """Return every number that was chosen, by name."""
        return msgspec.structs.asdict(self)

    @property
    def memory(self) -> Memory:
        """Return how far back it looks."""
        return Memory(items=RECURSION * self.slow, span=MEMORY)

    def start(self) -> ClosesState:
        """Return the state before the first bar."""
        return ClosesState()

    def step(self, state: ClosesState, bar: Bar, /) -> tuple[ClosesState, Signal | None]:
        """Take in a closed bar of one second."""
        closes = state.closes.push(bar, RECURSION * self.slow)
        if len(closes.closes) < RECURSION * self.slow:
            return ClosesState(closes, state.edges), None
        reading = self.read(closes, bar)
        edges, signal = decide(self, symmetric(self.enter_bps, self.leave_bps), state.edges, reading)
        return ClosesState(closes, edges), signal

    def read(self, closes: Closes, bar: Bar) -> Reading:
        """Measure by how much the averages differ at the close of ``bar``."""
        fast = ema(closes.closes[-RECURSION * self.fast :], self.fast)
        slow = ema(closes.closes, self.slow)
        divergence = (fast - slow) / slow * BASIS_POINTS
        return Reading(
            value=divergence,
            strength=min(abs(divergence) / self.full_bps, 1.0),
            confidence=density(len(closes.closes), closes.starts[0], bar.end),
            price=bar.close,
            evidence={"fast": fast, "slow": slow, "divergence_bps": divergence},
            from_ts=closes.starts[0],
            to_ts=bar.end,
        )
