"""How ticks become bars and signals: one instrument, no I/O.

The tape is folded from the left, in order of (ts, kind, id). What comes out is a function of the tape:
it is the same however the tape is cut into calls of ``Folder.fold``.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from market.bars import Bar
from market.depths import Depth
from market.quotes import Quote
from market.signals import Signal
from market.ticks import BEFORE_ALL, TapeKey
from market.times import SECOND, floor
from market.trades import Trade
from market.watermarks import Watermark
from workers.kinds.fold import AnyFold, Input
from workers.running import NONE_RUNNING, Running, RunningBars, restored

SNAPSHOT_EVERY: Final = SECOND // 10
"""Microseconds of event time between states kept for rewinding. It divides every interval of bars."""

SNAPSHOTS_KEPT: Final = 21
"""The newest snapshots of one call that are returned: they reach back at least 2 s of event time."""

Tick = Trade | Quote | Depth | Watermark


class InstrumentState(msgspec.Struct, frozen=True):
    """What the tape up to ``cursor`` means for what comes. Never changed, only followed by another.

    ``kinds`` holds each kind's own state by name, None where the kind is quarantined.
    """

    cursor: TapeKey
    running: Running
    kinds: Mapping[str, object]


class FinalBar(msgspec.Struct, frozen=True):
    """A closed bar, and when the tick or watermark that closed it was received."""

    bar: Bar
    received_at: int


class DecidedSignal(msgspec.Struct, frozen=True):
    """A signal, and when the tick or watermark that decided it was received."""

    signal: Signal
    received_at: int


class FoldFailure(msgspec.Struct, frozen=True):
    """A kind that raised on what it was stepped with at ``ts``, and is quarantined from there on."""

    kind: str
    version: int
    ts: int
    error: str


class Folded(msgspec.Struct, frozen=True):
    """What one call of ``fold`` made of its ticks.

    ``bars`` are in order of closing, shortest first at one instant; ``signals`` as they were decided:
    one of a bar may follow one of a depth that lay behind the bar's end.
    ``snapshots`` are the newest SNAPSHOTS_KEPT states, oldest first, each as it was just before event
    time entered another SNAPSHOT_EVERY: to take in a tick that came late, go on from the newest whose
    ``cursor`` lies before it, with the ticks after that cursor.
    """

    state: InstrumentState
    bars: list[FinalBar]
    signals: list[DecidedSignal]
    snapshots: list[InstrumentState]
    failures: list[FoldFailure]


class Folder:
    """Folds the tapes of instruments, one at a time, into bars and the signals of ``kinds``.

    A bar is final when a trade or a watermark of its instrument has reached its end.
    """

    def __init__(self, kinds: Sequence[AnyFold]) -> None:
        """Fold these kinds; their names differ."""
        self.kinds: Final = tuple(kinds)

    def start(self) -> InstrumentState:
        """Return the state before the first tick."""
        return InstrumentState(BEFORE_ALL, NONE_RUNNING, {fold.kind: fold.start() for fold in self.kinds})

    def fold(self, state: InstrumentState, ticks: Iterable[Tick]) -> Folded:
        """Fold ``ticks``, sorted by tape key and all after ``state.cursor``, onto ``state``."""
        call = _Call(self.kinds, state)
        add = call.running.add
        next_snapshot = floor(state.cursor.ts, SNAPSHOT_EVERY) + SNAPSHOT_EVERY
        next_close = 0
        for tick in ticks:
            ts = tick.ts
            if ts >= next_snapshot:
                call.snapshots.append(call.state())
                next_snapshot = floor(ts, SNAPSHOT_EVERY) + SNAPSHOT_EVERY
            # Not by quotes and depths: trades are told later than books, by up to 186 ms on recorded tapes.
            if ts >= next_close and isinstance(tick, Trade | Watermark):
                call.close(ts, tick.received_at)
                next_close = floor(ts, SECOND) + SECOND
            call.last = tick
            if isinstance(tick, Trade):
                add(ts, tick.price, tick.size, tick.side)
            elif isinstance(tick, Depth):
                call.step(Input.DEPTH, tick, ts, tick.received_at)
        return Folded(call.state(), call.bars, call.signals, list(call.snapshots), call.failures)

    def encode(self, state: InstrumentState) -> bytes:
        """Return ``state`` as it is stored."""
        kinds = {fold.kind: (fold.version, state.kinds[fold.kind]) for fold in self.kinds}
        return _encoder.encode((state.cursor, state.running, kinds))

    def decode(self, data: bytes) -> InstrumentState:
        """Return the state stored as ``data``; what is new, or a kind of another version, starts.

        Raises msgspec.DecodeError on anything else.
        """
        cursor, bars, kinds = _decoder.decode(data)
        running = restored([bar for bar in bars if bar])
        return InstrumentState(cursor, running, {fold.kind: _restored(fold, kinds) for fold in self.kinds})


_StoredKinds = dict[str, tuple[int, msgspec.Raw]]
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[TapeKey, Running, _StoredKinds])


def _restored(fold: AnyFold, kinds: _StoredKinds) -> object:
    version, state = kinds.get(fold.kind, (None, msgspec.Raw()))
    if version != fold.version:
        return fold.start()
    return msgspec.msgpack.decode(state, type=fold.state_type | None)


class _Call:
    """What changes while one call of ``fold`` runs."""

    def __init__(self, kinds: Sequence[AnyFold], state: InstrumentState) -> None:
        self._cursor = state.cursor
        self._kinds = dict(state.kinds)
        self._steps = {side: [fold for fold in kinds if fold.input is side] for side in Input}
        self.last: Tick | None = None
        self.running = RunningBars(state.running)
        self.bars: list[FinalBar] = []
        self.signals: list[DecidedSignal] = []
        self.snapshots: deque[InstrumentState] = deque(maxlen=SNAPSHOTS_KEPT)
        self.failures: list[FoldFailure] = []

    def state(self) -> InstrumentState:
        """Return the state as it is now."""
        cursor = self.last.tape_key if self.last else self._cursor
        return InstrumentState(cursor, self.running.current(), self._kinds.copy())

    def close(self, ts: int, received_at: int) -> None:
        """Close the bars that ended by ``ts``."""
        for bar in self.running.closed(ts):
            self.bars.append(FinalBar(bar, received_at))
            if bar.interval == SECOND:
                self.step(Input.BARS, bar, bar.end, received_at)

    def step(self, side: Input, item: Bar | Depth, ts: int, received_at: int) -> None:
        """Step every kind that takes ``item`` and is not quarantined."""
        for fold in self._steps[side]:
            state = self._kinds[fold.kind]
            if state is None:
                continue
            try:
                self._kinds[fold.kind], signal = fold.step(state, item)
            except MemoryError:
                raise  # of the machine, not of the fold: the claim is tried again
            except Exception as error:  # noqa: BLE001 - whatever a kind does, bars and other kinds go on
                self._quarantine(fold, ts, error)
            else:
                if signal:
                    self.signals.append(DecidedSignal(signal, received_at))

    def _quarantine(self, fold: AnyFold, ts: int, error: Exception) -> None:
        self._kinds[fold.kind] = None
        text = f"{type(error).__name__}: {error}"
        self.failures.append(FoldFailure(fold.kind, fold.version, ts, text))
