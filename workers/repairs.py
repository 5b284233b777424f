"""A repair: what was computed aside, compared with what was told, and brought up to where live is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from db import dirty, outcomes, tapes
from db.claims import Cursor, Instrument
from db.dirty import DirtyInterval
from db.indicators import Replaced
from db.tapes import Part
from market.bars import Bar
from market.publications import Publication
from market.signals import Signal
from market.ticks import Kind, TapeKey
from market.times import SECOND, floor
from workers import stored_states
from workers.decisions import (
    Changes,
    Since,
    bar_key,
    compare_bars,
    compare_signals,
    is_told_after,
    joined,
    signal_key,
    since,
)
from workers.folding import DecidedSignal, FinalBar, Folded, Folder, FoldFailure, InstrumentState
from workers.measuring import repaired as measured_again
from workers.memory import Remembered
from workers.recomputing import Recomputed
from workers.silences import Silence, speaks
from workers.telling import Telling

if TYPE_CHECKING:
    from db.connections import Connection


class _Body(msgspec.Struct, frozen=True, array_like=True):
    """What is staged; ``kinds`` are the versions of those that computed it."""

    kinds: dict[str, int]
    made: Recomputed


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Body).decode


def encode(folder: Folder, made: Recomputed) -> bytes:
    """Return what is staged of a computation."""
    return _encode(_Body(_versions(folder), made))


def decode(folder: Folder, data: bytes) -> Recomputed | None:
    """Return the computation that was staged; None when other code than this made it."""
    try:
        body = _decode(data)
        if body.kinds != _versions(folder):
            return None
        if body.made.state is not None and stored_states.restore(folder, body.made.state).begun:
            return None
    except msgspec.DecodeError:
        return None
    return body.made


class Repaired(msgspec.Struct, frozen=True):
    """What is to be told, from ``since_ts`` on; ``after`` takes the place of what live remembers, if any."""

    bars: Changes[FinalBar, Bar]
    signals: Changes[DecidedSignal, Signal]
    measured: Sequence[Replaced]
    failures: list[FoldFailure]
    since_ts: int
    after: Remembered | None = None

    def is_compared_since(self, ts: int) -> bool:
        """Tell whether all that was said since ``ts`` has been compared."""
        return self.after is not None and ts >= self.since_ts


class Repairer:
    """Repairs one instrument; the shard is locked, and ``cursor`` is where live stands."""

    def __init__(
        self,
        connection: "Connection",
        folder: Folder,
        instrument: Instrument,
        cursor: Cursor,
        silences: Sequence[Silence],
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._instrument = instrument
        self._cursor = cursor
        self._silences = silences

    async def compared(self, made: Recomputed) -> Repaired:
        """Return what ``made``, which live has forgotten, changes."""
        bars, signals = await self._compared(made, None)
        measured = measured_again(self._instrument.instrument_id, made, self._silences, None, None)
        return Repaired(bars, signals, measured, self._heard(made.failures), made.from_ts)

    async def continued(self, made: Recomputed, state: bytes, at_most_ticks: int) -> Repaired | None:
        """Return what ``made`` with its ``state`` changes up to where live is; None if that is too far."""
        base = stored_states.decode(self._folder, state)
        tail = await self._tail(base, at_most_ticks)
        if tail is None:
            return None
        bars, signals = await self._compared(made, since(base))
        later_bars, later_signals = await self._compared_since(since(base), tail)
        after = Remembered(base, ()).after(base, tail).silenced(self._silences)
        return Repaired(
            joined(bars, later_bars),
            joined(signals, later_signals),
            measured_again(self._instrument.instrument_id, made, self._silences, base, tail),
            self._heard([*made.failures, *tail.failures]),
            made.from_ts,
            after,
        )

    async def _tail(self, base: InstrumentState, at_most_ticks: int) -> Folded | None:
        place = TapeKey(self._cursor.ts, self._cursor.kind, self._cursor.id)
        of = self._instrument
        part = Part(of.exchange_id, of.instrument_id, base.cursor, place, frozenset(Kind))
        if await tapes.count(self._connection, part, at_most_ticks + 1) > at_most_ticks:
            return None
        ticks = (await tapes.read_parts(self._connection, [part]))[of.instrument_id]
        return self._folder.fold(base, ticks)

    async def _compared(
        self, made: Recomputed, beyond: Since | None
    ) -> tuple[Changes[FinalBar, Bar], Changes[DecidedSignal, Signal]]:
        """Compare what was computed with what stands there, but for what a fold ``beyond`` it compares."""
        instrument_id = self._instrument.instrument_id
        ranges = {interval: (each.from_ts, each.to_ts) for interval, each in made.ranges.items()}
        bars = await outcomes.bars_in(self._connection, instrument_id, ranges)
        signals = await outcomes.signals_in(self._connection, instrument_id, made.from_ts, made.to_ts)
        told = [each for each in signals if beyond is None or not is_told_after(beyond, each)]
        return compare_bars(made.bars, {bar_key(bar): bar for bar in bars}), self._changed(made.signals, told)

    async def _compared_since(
        self, told: Since, tail: Folded
    ) -> tuple[Changes[FinalBar, Bar], Changes[DecidedSignal, Signal]]:
        instrument_id = self._instrument.instrument_id
        bars = await outcomes.bars_since(self._connection, instrument_id, told.bar_starts)
        earliest = min(told.bar_signals, told.depth_signals)
        signals = await outcomes.signals_since(self._connection, instrument_id, earliest)
        return compare_bars(tail.bars, {bar_key(bar): bar for bar in bars}), self._changed(
            tail.signals, [each for each in signals if is_told_after(told, each)]
        )

    def _changed(
        self, decided: Sequence[DecidedSignal], told: Sequence[Signal]
    ) -> Changes[DecidedSignal, Signal]:
        """Compare signals; those of kinds that are not folded are none of our business."""
        kinds = {fold.kind for fold in self._folder.kinds}
        return compare_signals(
            [each for each in decided if self._is_heard(each.signal.kind, each.signal.ts)],
            {signal_key(signal): signal for signal in told if signal.kind in kinds},
        )

    def _heard(self, failures: Sequence[FoldFailure]) -> list[FoldFailure]:
        """Return what failed and is not known to have."""
        return [each for each in failures if self._is_heard(each.kind, each.ts)]

    def _is_heard(self, kind: str, ts: int) -> bool:
        return speaks(self._silences, kind, ts)


async def tell(
    connection: "Connection", telling: Telling, instrument: Instrument, cursor: Cursor, repaired: Repaired
) -> list[Publication]:
    """Write and tell what is repaired; what failed is stopped, and what it said since computed again."""
    telling.add(instrument, cursor, repaired.bars, repaired.signals, "backfill")
    telling.measure(repaired.measured)
    await telling.bury(instrument, repaired.failures)
    again = [
        DirtyInterval(instrument.instrument_id, floor(failure.ts, SECOND), cursor.ts + 1)
        for failure in repaired.failures
        if not repaired.is_compared_since(failure.ts)
    ]
    if again:
        await dirty.mark(connection, again, "quarantine")
    return await telling.write()


def _versions(folder: Folder) -> dict[str, int]:
    return {fold.kind: fold.version for fold in folder.kinds}
