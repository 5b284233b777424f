"""Order-book pressure: one side of the top of the book is much larger than the other."""

from typing import ClassVar

from market.depths import Depth
from market.signals import Signal
from workers.kinds.closes import left_sum
from workers.kinds.edges import MEMORY, Edges, Thresholds
from workers.kinds.fold import Input, Kind, Memory
from workers.kinds.reading import Reading, decide

BASIS_POINTS = 10_000


class Pressure(Kind, frozen=True):
    """Up while bids outweigh asks, down while asks outweigh bids, by the ratio of their sizes."""

    levels: int = 5
    up: float = 2.5
    leave_up: float = 1.0
    leave_down: float = 1.0
    down: float = 0.4
    half_spread_bps: float = 10.0

    kind: ClassVar[str] = "pressure"
    version: ClassVar[int] = 2
    input: ClassVar[Input] = Input.DEPTH
    state_type: ClassVar[type[Edges]] = Edges

    @property
    def memory(self) -> Memory:
        """Return how far back it looks."""
        return Memory(items=0, span=MEMORY)

    @property
    def thresholds(self) -> Thresholds:
        """Return the thresholds of the ratio."""
        return Thresholds(self.up, self.leave_up, self.leave_down, self.down)

    def start(self) -> Edges:
        """Return the state before the first depth."""
        return Edges()

    def step(self, state: Edges, depth: Depth, /) -> tuple[Edges, Signal | None]:
        """Take in a depth; nothing is measured where a side is empty."""
        reading = self.measure(state, depth)
        return decide(self, self.thresholds, state, reading) if reading else (state, None)

    def measure(self, _state: Edges, depth: Depth, /) -> Reading | None:
        """Return what is read at ``depth``."""
        levels = min(self.levels, len(depth.bid_sizes), len(depth.ask_sizes))
        bid, ask = left_sum(depth.bid_sizes[:levels]), left_sum(depth.ask_sizes[:levels])
        return self.read(depth, levels, bid, ask) if bid and ask else None

    def read(self, depth: Depth, levels: int, bid: float, ask: float) -> Reading:
        """Measure the ratio of the sizes ``bid`` and ``ask`` of the best ``levels`` of each side."""
        best_bid, best_ask = depth.bid_prices[0], depth.ask_prices[0]
        mid = (best_bid + best_ask) / 2
        spread_bps = (best_ask - best_bid) / mid * BASIS_POINTS
        tightness = self.half_spread_bps / (self.half_spread_bps + max(spread_bps, 0.0))
        evidence = {"ratio": bid / ask, "bid_size": bid, "ask_size": ask, "spread_bps": spread_bps}
        return Reading(
            value=bid / ask,
            strength=(bid - ask) / (bid + ask),
            confidence=levels / self.levels * tightness,
            price=mid,
            evidence={**evidence, "levels": float(levels)},
            from_ts=depth.ts,
            to_ts=depth.ts,
        )
