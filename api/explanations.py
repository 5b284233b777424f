"""How a signal is explained: what ``GET /v1/signals/{id}/explain`` and the command line give."""

from typing import Literal

import msgspec
from pydantic import Field

from api.questions import Question
from api.schemas import SIDES, Row, Signal
from db.instruments import Listed
from db.signals import StoredSignal
from market import trades
from market.depths import Depth
from market.explanations import Explanation as Told
from market.times import to_iso


class ExplanationQuestion(Question):
    """How much of what led to a signal."""

    limit: int = Field(default=1000, ge=1, le=10_000, description="Ticks, and steps, at most: the newest.")


class Tick(Row):
    """A tick that a signal was made of: a trade has `price size side`, a depth the best levels a side."""

    ts: str
    id: str
    price: float | None = None
    size: float | None = None
    side: Literal["buy", "sell", "unknown"] | None = None
    bid_prices: tuple[float, ...] | None = None
    bid_sizes: tuple[float, ...] | None = None
    ask_prices: tuple[float, ...] | None = None
    ask_sizes: tuple[float, ...] | None = None

    @classmethod
    def of(cls, tick: trades.Trade | Depth) -> "Tick":
        """Return the row of a trade or a depth."""
        if isinstance(tick, Depth):
            levels = ("bid_prices", "bid_sizes", "ask_prices", "ask_sizes")
            return cls(
                ts=to_iso(tick.ts), id=str(tick.update_id), **{name: getattr(tick, name) for name in levels}
            )
        side = SIDES[tick.side]
        return cls(ts=to_iso(tick.ts), id=str(tick.trade_id), price=tick.price, size=tick.size, side=side)


class InputBar(Row):
    """A bar of one second in a signal's input."""

    start: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    buy_volume: float
    sell_volume: float
    trades: int


class Step(Row):
    """What the kind measured at one bar or depth; `value` is what its thresholds are held against.

    `phase` is the condition after it: fresh, calm, up, or down. `told` is the edge, if one was told.
    """

    ts: str
    value: float | None
    strength: float | None
    confidence: float | None
    evidence: dict[str, float]
    phase: str | None
    told: Literal["up", "down", "ended"] | None


class Explanation(Row):
    """A signal as stored; the ticks, bars, and steps that led to it; and the same decision, made again.

    `equal` tells whether what the stored ticks decide today, with the stored parameters, is the stored
    signal: null when this version cannot compute it, with the `reason`. `ticks` and `steps` are the newest.
    """

    signal: Signal
    equal: bool | None
    reason: str
    recomputed: Signal | None
    ticks: list[Tick]
    ticks_total: int
    bars: list[InputBar]
    steps: list[Step]
    steps_total: int

    @classmethod
    def of(cls, listed: Listed, stored: StoredSignal, coverage: float, told: Told) -> "Explanation":
        """Return the row of an explanation."""
        again = told.recomputed and msgspec.structs.replace(stored, signal=told.recomputed)
        bars = [
            {name: getattr(bar, name) for name in InputBar.model_fields} | {"start": to_iso(bar.start)}
            for bar in told.bars
        ]
        return cls(
            signal=Signal.of(listed, stored, coverage),
            equal=told.equals(stored.signal),
            reason=told.reason,
            recomputed=Signal.of(listed, again, coverage) if again else None,
            ticks=[Tick.of(tick) for tick in told.ticks],
            ticks_total=told.ticks_total,
            bars=[InputBar.model_validate(bar) for bar in bars],
            steps=[
                Step.model_validate({**msgspec.structs.asdict(step), "ts": to_iso(step.ts)})
                for step in told.measured
            ],
            steps_total=told.measured_total,
        )
