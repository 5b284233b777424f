"""How ticks become bars and signals: one instrument, no I/O.

The tape is folded from the left, in order of (ts, kind, id). What comes out is a function of the tape:
it is the same however the tape is cut into calls of ``Folder.fold``.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from market.bars import Bar
from market.depths import Depth
from market.indicators import EVERY, Indicator
from market.quotes import Quote
from market.signals import Signal
from market.ticks import BEFORE_ALL, Place, TapeKey
from market.times import SECOND, floor
from market.trades import Trade
from market.watermarks import Watermark
from workers.eras import FOR_EVER, Eras, Taking, Timelines
from workers.kinds.fold import AnyFold, Input
from workers.kinds.reading import indicator
from workers.kinds.soundness import check, is_finite
from workers.running import NONE_RUNNING, Running, RunningBars
from workers.snapshots import SNAPSHOT_EVERY, SNAPSHOTS_KEPT, kept_from
from workers.trails import Trail

Tick = Trade | Quote | Depth | Watermark

_NEVER: Final = dict.fromkeys(Input, FOR_EVER)
_AT_ONCE: Final = dict.fromkeys(Input, 0)


class InstrumentState(msgspec.Struct, frozen=True):
    """What the tape up to ``cursor`` means for what comes. Never changed, only followed by another.

    ``kinds`` holds each kind's own state by name, None where the kind is quarantined. ``second`` is the
    newest closed bar of a second, ``depth`` the newest one, if its minute has not ended: what indicators
    are measured with when it does. ``versions`` says with which version of its parameters the state of a
    kind was made, where it is not 0.
    """

    cursor: TapeKey
    running: Running
    kinds: Mapping[str, object]
    trail: Trail = Trail()
    second: Bar | None = None
    depth: Depth | None = None
    versions: Mapping[str, int] = {}


class FinalBar(msgspec.Struct, frozen=True):
    """A closed bar, and when the tick or watermark that closed it was received."""

    bar: Bar
    received_at: int


class DecidedSignal(msgspec.Struct, frozen=True):
    """A signal, when the tick or watermark that decided it was received, and its place on the tape."""

    signal: Signal
    received_at: int
    decided_by: TapeKey


class FoldFailure(msgspec.Struct, frozen=True):
    """A kind that raised on what it was stepped with at ``ts``, and is quarantined from there on."""

    kind: str
    version: int
    ts: int
    error: str


class Folded(msgspec.Struct, frozen=True):
    """What one call of ``fold`` made of its ticks.

    ``bars`` are in order of closing, shortest first at one instant; ``signals`` as they were decided:
    one of a bar may follow one of a depth that lay behind the bar's end. ``indicators`` are those of the
    minutes that ended.
    ``snapshots`` are the newest SNAPSHOTS_KEPT states, oldest first, each as it was just before event
    time entered another SNAPSHOT_EVERY: to take in a tick that came late, go on from the newest whose
    ``cursor`` lies before it, with the ticks after that cursor.
    """

    state: InstrumentState
    bars: list[FinalBar]
    signals: list[DecidedSignal]
    snapshots: list[InstrumentState]
    failures: list[FoldFailure]
    indicators: list[Indicator] = []


class Folder:
    """Folds the tapes of instruments, one at a time, into bars and the signals of ``kinds``.

    A bar is final when a trade or a watermark of its instrument has reached its end.
    """

    def __init__(self, kinds: Sequence[AnyFold]) -> None:
        """Fold these kinds; their names differ."""
        self.kinds: Final = tuple(kinds)
        self._taking = Taking.of(kinds)
        self.timelines: Final = Timelines(self.kinds)

    def start(self) -> InstrumentState:
        """Return the state before the first tick."""
        return InstrumentState(BEFORE_ALL, NONE_RUNNING, {fold.kind: fold.start() for fold in self.kinds})

    def fold(self, state: InstrumentState, ticks: Sequence[Tick]) -> Folded:
        """Fold ``ticks``, sorted by tape key and all after ``state.cursor``, onto ``state``."""
        eras = self.timelines.of(ticks[0].instrument_id) if ticks else None
        call = _Call(self._taking, state, eras)
        bars_kept = self.timelines.items(Input.BARS)
        add = call.running.add
        next_snapshot = max(floor(state.cursor.ts, SNAPSHOT_EVERY) + SNAPSHOT_EVERY, kept_from(ticks))
        next_close = 0
        second_ends = call.trail.second_ends
        for tick in ticks:
            ts = tick.ts
            if ts >= next_snapshot:
                call.snapshots.append(call.state())
                next_snapshot = floor(ts, SNAPSHOT_EVERY) + SNAPSHOT_EVERY
            # Not by quotes and depths: trades are told later than books, by up to 186 ms on recorded tapes.
            if ts >= next_close and isinstance(tick, Trade | Watermark):
                call.close(ts, tick)
                next_close = floor(ts, SECOND) + SECOND
            call.last = tick
            if isinstance(tick, Trade):
                if ts >= second_ends:
                    call.begin(tick, bars_kept)
                    second_ends = floor(ts, SECOND) + SECOND
                call.traded = tick
                add(ts, tick.price, tick.size, tick.side)
            elif isinstance(tick, Depth):
                call.take(tick)
        return call.folded()


class _Call:
    """What changes while one call of ``fold`` runs."""

    def __init__(self, taking: Taking, state: InstrumentState, eras: Eras | None) -> None:
        self._cursor = state.cursor
        self._kinds = dict(state.kinds)
        self._taking = self._own = taking
        self._eras = eras
        self._versions = state.versions
        self._until = dict(_AT_ONCE) if eras else _NEVER
        if eras is not None:
            self._taking = taking.made(eras, state.versions)
        self.last: Tick | None = None
        self.trail = state.trail
        self.traded: Trade | None = None
        self.running = RunningBars(state.running)
        self.bars: list[FinalBar] = []
        self.signals: list[DecidedSignal] = []
        self.snapshots: deque[InstrumentState] = deque(maxlen=SNAPSHOTS_KEPT)
        self.failures: list[FoldFailure] = []
        self._second, self._depth = state.second, state.depth
        self._indicators: list[Indicator] = []

    def state(self) -> InstrumentState:
        """Return the state as it is now."""
        cursor = self.last.tape_key if self.last else self._cursor
        trail = Trail(self.trail.firsts, self._newest())
        running, kinds = self.running.current(), self._kinds.copy()
        rest = (trail, self._second, self._depth, self._versions)
        return InstrumentState(cursor, running, kinds, *rest)

    def folded(self) -> Folded:
        """Return what came of the call."""
        snapshots = list(self.snapshots)
        return Folded(self.state(), self.bars, self.signals, snapshots, self.failures, self._indicators)

    def begin(self, first: Trade, kept: int) -> None:
        """Remember with which trade another second began, and with which the ``kept`` newest ones did."""
        self.trail = self.trail.begun(Place(first.ts, first.trade_id), kept)

    def close(self, ts: int, tick: Tick) -> None:
        """Close the bars that ended by ``ts``, which ``tick`` tells."""
        for bar in self.running.closed(ts):
            self.bars.append(FinalBar(bar, tick.received_at))
            if bar.interval == SECOND:
                self.step(Input.BARS, bar, bar.end, tick)
                self._second = bar
            elif bar.interval == EVERY and self._second:
                self._measure(Input.BARS, self._second, bar.end)
        self._end_minute(ts)

    def take(self, depth: Depth) -> None:
        """Take in a book."""
        self._end_minute(depth.ts)
        self._depth = depth
        self.step(Input.DEPTH, depth, depth.ts, depth)

    def _end_minute(self, ts: int) -> None:
        """Measure with the last depth of a minute that ended by ``ts``."""
        if self._depth and ts >= (ended := floor(self._depth.ts, EVERY) + EVERY):
            depth, self._depth = self._depth, None
            self._measure(Input.DEPTH, depth, ended)

    def _measure(self, side: Input, item: Bar | Depth, ts: int) -> None:
        """Keep what every kind that takes ``item`` reads at it, as the indicators of ``ts``."""
        for fold in self._taking.gauges[side]:
            state = self._kinds[fold.kind]
            if state is None:
                continue
            try:
                reading = fold.measure(state, item)
                if reading and is_finite(reading):
                    self._indicators.append(indicator(fold, reading, ts))
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - as in ``step``
                self._quarantine(fold, ts, error)

    def step(self, side: Input, item: Bar | Depth, ts: int, tick: Tick) -> None:
        """Step every kind that takes ``item`` and is not quarantined; ``tick`` is what brought it."""
        if ts >= self._until[side]:
            self._turn(side, ts)
        for fold in self._taking.steps[side]:
            state = self._kinds[fold.kind]
            if state is None:
                continue
            try:
                self._kinds[fold.kind], signal = fold.step(state, item)
                if signal:
                    decided = self._decided(fold, signal, item, tick)
                    check(fold, decided.signal, ts)
                    self.signals.append(decided)
            except MemoryError:
                raise  # of the machine, not of the fold: the claim is tried again
            except Exception as error:  # noqa: BLE001 - whatever a kind does, bars and other kinds go on
                self._quarantine(fold, ts, error)

    def _turn(self, side: Input, ts: int) -> None:
        """Go on with the parameters of ``ts``: a kind whose parameters have changed begins anew."""
        if self._eras is None:
            return
        for fold in self._own.steps[side]:
            era = self._eras.at(fold, ts)
            if era.version != self._versions.get(fold.kind, 0):
                self._versions = {**self._versions, fold.kind: era.version}
                if self._kinds[fold.kind] is not None:
                    self._kinds[fold.kind] = era.fold.start()
        self._until[side] = self._eras.until(self._own.steps[side], ts)
        self._taking = self._own.made(self._eras, self._versions)

    def _decided(self, fold: AnyFold, signal: Signal, item: Bar | Depth, tick: Tick) -> DecidedSignal:
        """Say what the kind needs not know: the ends of its input, and with which numbers it was made."""
        ends = self._ends(signal, item)
        told = msgspec.structs.replace(
            signal,
            first=signal.first or ends[0],
            last=signal.last or ends[1],
            parameters=dict(fold.parameters),
            parameters_version=self._versions.get(fold.kind, 0),
            source=fold.input.source,
        )
        return DecidedSignal(told, tick.received_at, tick.tape_key)

    def _ends(self, signal: Signal, item: Bar | Depth) -> tuple[Place | None, Place | None]:
        if isinstance(item, Depth):
            place = Place(item.ts, item.update_id)
            return place, place
        return self.trail.first_since(signal.from_ts), self._newest()

    def _newest(self) -> Place | None:
        return Place(self.traded.ts, self.traded.trade_id) if self.traded else self.trail.last

    def _quarantine(self, fold: AnyFold, ts: int, error: Exception) -> None:
        self._kinds[fold.kind] = None
        text = f"{type(error).__name__}: {error}"
        self.failures.append(FoldFailure(fold.kind, fold.version, ts, text))
