"""Why a signal was told: its decision made again from the stored ticks, with every step on the way."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from db import parameters
from db.signals import StoredSignal
from market.bars import Bar
from market.depths import Depth
from market.errors import InvalidInputError
from market.explanations import Explanation, Measured
from market.signals import Direction, Signal
from market.ticks import Kind
from market.times import SECOND, floor
from market.trades import Trade
from market.watermarks import Watermark
from workers.folding import Folder, InstrumentState, Tick
from workers.kinds.catalogue import made_with
from workers.kinds.edges import Edges
from workers.kinds.fold import AnyFold, Input
from workers.kinds.reading import Gauge
from workers.memory import place_before, start_at
from workers.models import explaining as models
from workers.models.anomaly import KIND
from workers.reading import FIRST_READ, Tape, next_step
from workers.stored_tapes import StoredTape

if TYPE_CHECKING:
    from db.connections import Connection

_TICKS = {Input.BARS: Kind.TRADE, Input.DEPTH: Kind.DEPTH}


async def explain(
    connection: "Connection", exchange_id: int, stored: StoredSignal, at_most: int
) -> Explanation:
    """Explain a signal out of the database, with the newest ``at_most`` of its ticks and steps."""
    if stored.signal.kind == KIND:
        return await models.explain(connection, exchange_id, stored, at_most)
    tape = StoredTape(connection, exchange_id, stored.instrument_id)
    return await explained(tape, stored.signal, at_most, begins=await _begins(connection, stored))


async def _begins(connection: "Connection", stored: StoredSignal) -> int:
    """Return from when on the parameters counted that a signal was decided with."""
    signal = stored.signal
    ours = (stored.instrument_id, signal.kind, signal.parameters_version)
    chosen = await parameters.chosen(connection)
    return next((each.from_ts for each in chosen if ours == (each.instrument_id, each.kind, each.version)), 0)


async def explained(tape: Tape, signal: Signal, at_most: int, *, begins: int = 0) -> Explanation:
    """Explain a signal of a tape, whose kind began anew with its parameters at ``begins``.

    What lies after its decision is not looked at.
    """
    try:
        fold = made_with(signal.kind, signal.version, signal.parameters)
    except InvalidInputError as error:
        return Explanation([], 0, [], [], 0, None, str(error))
    witness = _Witness(fold, signal, at_most, begins)
    replay = _Replay(witness, signal, at_most)
    async for ticks in _read(tape, fold, signal):
        await asyncio.to_thread(replay.take, ticks)
    return replay.explanation()


async def _read(tape: Tape, fold: AnyFold, signal: Signal) -> AsyncIterator[Sequence[Tick]]:
    """Yield, piece by piece, the ticks that the decision is a function of."""
    reach = signal.ts - fold.memory.span
    look_back = tape.second_before if fold.input is Input.BARS else tape.depth_before
    began = await look_back(reach, max(fold.memory.items, 1))
    position, step = floor(min(began, reach), SECOND), FIRST_READ
    end = signal.ts if fold.input is Input.BARS else signal.ts + 1
    while position < end:
        to_ts = min(position + step, end)
        ticks = await tape.read(place_before(position), place_before(to_ts), frozenset({_TICKS[fold.input]}))
        yield ticks
        position, step = to_ts, next_step(step, len(ticks))
    yield [Watermark(0, signal.ts, signal.ts)]


class _Witness:
    """A kind that is watched while it is stepped."""

    def __init__(self, fold: AnyFold, signal: Signal, at_most: int, begins: int) -> None:
        self.kind = fold.kind
        self.version = fold.version
        self.parameters = fold.parameters
        self.memory = fold.memory
        self.input = fold.input
        self.state_type = fold.state_type
        self.start = fold.start
        self.fold = fold
        self.steps: deque[tuple[Any, Any, Direction | None]] = deque(maxlen=at_most)
        self.total = 0
        self._from_ts = signal.ts - fold.memory.span
        self._begins = begins

    def step(self, state: Any, item: Any, /) -> tuple[Any, Signal | None]:  # noqa: ANN401 - the kind's own
        """Step the kind, and remember what came of it."""
        if _ts_of(item) < self._begins:
            return state, None
        after, signal = self.fold.step(state, item)
        if _ts_of(item) > self._from_ts:
            self.total += 1
            self.steps.append((item, after, signal.direction if signal else None))
        return after, signal

    def measured(self) -> list[Measured]:
        """Return what the kind made of each item that is remembered."""
        return [_measured(self.fold, *step) for step in self.steps]


class _Replay:
    """Folds what leads to a signal, and keeps what the signal was made of."""

    def __init__(self, witness: _Witness, signal: Signal, at_most: int) -> None:
        self._witness = witness
        self._signal = signal
        self._folder = Folder([witness])
        self._state: InstrumentState | None = None
        self._ticks: deque[Trade | Depth] = deque(maxlen=at_most)
        self._ticks_total = 0
        self._bars: list[Bar] = []
        self._told: list[Signal] = []

    def take(self, ticks: Sequence[Tick]) -> None:
        """Fold the next ticks."""
        if not ticks:
            return
        folded = self._folder.fold(self._state or start_at(self._folder, ticks[0].ts - 1), ticks)
        self._state = folded.state
        self._told += [each.signal for each in folded.signals if each.signal.ts == self._signal.ts]
        seconds = [each.bar for each in folded.bars if each.bar.interval == SECOND]
        self._bars += [bar for bar in seconds if bar.start >= self._signal.from_ts]
        used = [tick for tick in ticks if isinstance(tick, Trade | Depth) and tick.ts >= self._signal.from_ts]
        self._ticks_total += len(used)
        self._ticks.extend(used)

    def explanation(self) -> Explanation:
        """Return what came of it."""
        return Explanation(
            ticks=list(self._ticks),
            ticks_total=self._ticks_total,
            bars=self._bars if self._witness.input is Input.BARS else [],
            measured=self._witness.measured(),
            measured_total=self._witness.total,
            recomputed=self._recomputed(),
        )

    def _recomputed(self) -> Signal | None:
        if not self._told:
            return None
        return msgspec.structs.replace(self._told[0], parameters_version=self._signal.parameters_version)


def _measured(fold: AnyFold, item: Bar | Depth, after: object, told: Direction | None) -> Measured:
    reading = fold.measure(after, item) if isinstance(fold, Gauge) else None
    edges = getattr(after, "edges", after)
    return Measured(
        ts=_ts_of(item),
        value=reading.value if reading else None,
        strength=reading.strength if reading else None,
        confidence=reading.confidence if reading else None,
        evidence=reading.evidence if reading else {},
        phase=edges.phase.name.lower() if isinstance(edges, Edges) else None,
        told=told,
    )


def _ts_of(item: Bar | Depth) -> int:
    return item.end if isinstance(item, Bar) else item.ts
