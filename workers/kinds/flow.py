"""Trade flow: how one-sided the takers of the last bars were."""

from typing import ClassVar

import msgspec

from market.bars import Bar
from market.signals import Signal
from workers.kinds.closes import density, left_sum
from workers.kinds.edges import MEMORY, Edges, symmetric
from workers.kinds.fold import Input, Kind, Memory
from workers.kinds.reading import Reading, decide


class Flows(msgspec.Struct, frozen=True, array_like=True):
    """The starts and volumes of the newest bars, oldest first."""

    starts: tuple[int, ...] = ()
    buys: tuple[float, ...] = ()
    sells: tuple[float, ...] = ()
    volumes: tuple[float, ...] = ()

    def push(self, bar: Bar, size: int) -> "Flows":
        """Return the newest ``size`` bars, ``bar`` among them."""
        return Flows(
            (*self.starts, bar.start)[-size:],
            (*self.buys, bar.buy_volume)[-size:],
            (*self.sells, bar.sell_volume)[-size:],
            (*self.volumes, bar.volume)[-size:],
        )


class FlowState(msgspec.Struct, frozen=True, array_like=True):
    """The state of trade flow."""

    flows: Flows = Flows()
    edges: Edges = Edges()


class Flow(Kind, frozen=True):
    """Up while takers mostly buy, down while they mostly sell."""

    bars: int = 30
    enter: float = 0.5
    leave: float = 0.25

    kind: ClassVar[str] = "flow"
    version: ClassVar[int] = 2
    input: ClassVar[Input] = Input.BARS
    state_type: ClassVar[type[FlowState]] = FlowState

    @property
    def memory(self) -> Memory:
        """Return how far back it looks."""
        return Memory(items=self.bars, span=MEMORY)

    def start(self) -> FlowState:
        """Return the state before the first bar."""
        return FlowState()

    def step(self, state: FlowState, bar: Bar, /) -> tuple[FlowState, Signal | None]:
        """Take in a closed bar of one second."""
        seen = FlowState(state.flows.push(bar, self.bars), state.edges)
        reading = self.measure(seen, bar)
        if reading is None:
            return seen, None
        edges, signal = decide(self, symmetric(self.enter, self.leave), state.edges, reading)
        return FlowState(seen.flows, edges), signal

    def measure(self, state: FlowState, bar: Bar, /) -> Reading | None:
        """Return what is read at ``bar``, the last that ``state`` has taken in."""
        return self.read(state.flows, bar) if len(state.flows.starts) == self.bars else None

    def read(self, flows: Flows, bar: Bar) -> Reading | None:
        """Measure the imbalance up to ``bar``; None when no trade told its side."""
        buy, sell, volume = left_sum(flows.buys), left_sum(flows.sells), left_sum(flows.volumes)
        told = buy + sell
        if not told:
            return None
        imbalance = (buy - sell) / told
        return Reading(
            value=imbalance,
            strength=imbalance,
            confidence=density(len(flows.starts), flows.starts[0], bar.end) * min(told / volume, 1.0),
            price=bar.close,
            evidence={"imbalance": imbalance, "buy_volume": buy, "sell_volume": sell, "volume": volume},
            from_ts=flows.starts[0],
            to_ts=bar.end,
        )
