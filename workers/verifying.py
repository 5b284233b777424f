"""Whether what is stored is what the tape says: computed again, and compared byte for byte.

Each piece is read in one snapshot, so that live workers change nothing under it, and none is held for long.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import structlog

from db import instruments, verifications
from db.errors import translated
from db.verifications import NewVerification
from market.bars import Bar
from market.signals import Signal
from market.times import DAY, HOUR, floor
from market.verifications import (
    OTHER_VERSION,
    QUARANTINED,
    UNKNOWN_KIND,
    UNREPAIRED,
    UNSETTLED,
    Difference,
    Unverified,
    Verification,
)
from runtime.clock import Clock
from workers.contents import Eras, Excluded, differing_bars, differing_signals
from workers.decisions import since
from workers.folding import Folder
from workers.kinds.fold import Input
from workers.models import verifying as models
from workers.models.anomaly import KIND
from workers.recomputing import Effects, Recomputed, recompute
from workers.silences import Silence
from workers.stored_tapes import StoredTape

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed
    from db.verifications import Stretch

logger = structlog.get_logger(__name__)

_PIECE: Final = 3 * HOUR
_FOR_EVER: Final = 2**62


class Verifier:
    """Verifies instruments one after the other, over one connection."""

    def __init__(self, connection: "Connection", folder: Folder) -> None:
        self._connection = connection
        self._folder = folder

    async def verify(self, listed: "Listed", from_ts: int, to_ts: int) -> Verification:
        """Compare [from_ts, to_ts): the bars that lie within it, and its signals."""
        found = Verification(from_ts, from_ts)
        async for piece in self.pieces(listed, from_ts, to_ts):
            found = found.followed_by(piece)
        return found

    async def pieces(self, listed: "Listed", from_ts: int, to_ts: int) -> AsyncIterator[Verification]:
        """Yield what came of each piece, cut where hours begin, so that no bar lies across a cut."""
        while from_ts < to_ts:
            end = min(floor(from_ts, HOUR) + _PIECE, to_ts)
            with translated("verifying"):
                async with self._connection.transaction(isolation="repeatable_read", readonly=True):
                    piece = _Piece(self._connection, self._folder, listed, from_ts, end)
                    found = await piece.verified()
            yield found
            from_ts = end


class Nightly:
    """Verifies days of all instruments, and records what came of it."""

    def __init__(self, folder: Folder, clock: Clock, code_version: str) -> None:
        self._folder = folder
        self._clock = clock
        self._code_version = code_version

    async def run(self, connection: "Connection", day: int) -> None:
        """Verify the day that begins at ``day``, but for instruments of which there is nothing then."""
        verifier = Verifier(connection, self._folder)
        for listed in await instruments.listed(connection):
            if await verifications.has_anything(connection, listed, day, day + DAY):
                began = self._clock()
                made = await verifier.verify(listed, day, day + DAY)
                await self._record(connection, listed, began, made)

    async def _record(
        self, connection: "Connection", listed: "Listed", began: int, made: Verification
    ) -> None:
        new = NewVerification(listed.instrument_id, began, self._clock(), self._code_version, made)
        await verifications.record(connection, new)
        tell = logger.error if made.differences else logger.info
        tell(
            "verification.done",
            instrument=listed.instrument.key,
            bars=made.bars,
            signals=made.signals,
            differences=len(made.differences),
        )


class _Piece:
    """One piece, in one snapshot."""

    def __init__(
        self, connection: "Connection", folder: Folder, listed: "Listed", from_ts: int, to_ts: int
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._listed = listed
        self._from_ts = from_ts
        self._to_ts = to_ts
        self._tape = StoredTape(connection, listed.exchange_id, listed.instrument_id)
        self._unverified: list[Unverified] = []

    async def verified(self) -> Verification:
        cursor = await verifications.cursor(self._connection, self._listed)
        settled_ts = cursor.settled_ts if cursor else 0
        if settled_ts <= self._from_ts:
            unsettled = Unverified(UNSETTLED, self._from_ts, self._to_ts)
            return Verification(self._from_ts, self._to_ts, unverified=(unsettled,))
        silences = await self._silences()
        made = await recompute(
            self._folder, self._tape, self._from_ts, self._to_ts, settled_ts=settled_ts, silences=silences
        )
        end = self._decided_until(made)
        if end < self._to_ts:
            self._unverified.append(Unverified(UNSETTLED, end, self._to_ts))
        excluded = await self._excluded(settled_ts)
        failed = [Silence(each.kind, each.ts) for each in made.failures]
        return await self._compared(made, end, excluded, [*silences, *failed])

    def _decided_until(self, made: Recomputed) -> int:
        """Return the time before which every signal is decided, stored and computed again alike."""
        if made.state is None:
            return self._to_ts
        told = since(self._folder.decode(made.state))
        return min(self._to_ts, made.to_ts, told.bar_signals, told.depth_signals)

    async def _silences(self) -> list[Silence]:
        rows = await verifications.quarantines(self._connection, self._listed.instrument_id)
        silences = [Silence(kind, from_ts) for kind, from_ts in rows if from_ts < self._to_ts]
        for each in silences:
            begin = max(each.from_ts, self._from_ts)
            self._unverified.append(Unverified(QUARANTINED, begin, self._to_ts, each.kind))
        return silences

    async def _excluded(self, settled_ts: int) -> list[Excluded]:
        """Return what repairs will still change here."""
        after_ts = await self._remembered_from()
        stretches = await verifications.unfolded(self._connection, self._listed, after_ts, self._to_ts)
        excluded = [await self._effects(each, settled_ts) for each in _joined(stretches)]
        for each in excluded:
            begin, end = max(each.from_ts, self._from_ts), min(each.to_ts, self._to_ts)
            if begin < end:
                self._unverified.append(Unverified(UNREPAIRED, begin, end))
        return excluded

    async def _effects(self, stretch: "Stretch", settled_ts: int) -> Excluded:
        effects = Effects(self._folder, self._tape, stretch.from_ts, stretch.to_ts)
        await effects.follow(settled_ts)
        made = effects.made()
        ranges = {
            interval: (each.from_ts, _FOR_EVER if made.state else each.to_ts)
            for interval, each in made.ranges.items()
        }
        return Excluded(ranges, made.from_ts, _FOR_EVER if made.state else made.to_ts)

    async def _remembered_from(self) -> int:
        """Return the time before which the tape has no say in this piece."""
        kinds = self._folder.kinds
        reach = floor(self._from_ts, HOUR) - max((fold.memory.span for fold in kinds), default=0)
        bars = max((fold.memory.items for fold in kinds if fold.input is Input.BARS), default=0)
        depths = max((fold.memory.items for fold in kinds if fold.input is Input.DEPTH), default=0)
        return min(
            await self._tape.second_before(reach, bars + 1), await self._tape.depth_before(reach, depths + 1)
        )

    async def _compared(
        self, made: Recomputed, end: int, excluded: Sequence[Excluded], silences: Sequence[Silence]
    ) -> Verification:
        ranges = {interval: (each.from_ts, each.to_ts) for interval, each in made.ranges.items()}
        instrument_id = self._listed.instrument_id
        stored = await verifications.bars(self._connection, instrument_id, ranges)
        bars = _left_bars(stored, excluded), _left_bars((each.bar for each in made.bars), excluded)
        eras = await self._eras()
        told = await verifications.signals(self._connection, instrument_id, self._from_ts, end)
        self._note_others(told, eras)
        quiet = [each for each in made.signals if each.signal.ts < end]
        signals = (
            _left_signals((each for each in told if eras.is_ours(each)), excluded, silences),
            _left_signals((each.signal for each in quiet), excluded, silences),
        )
        anomalies = await models.verified(self._connection, instrument_id, told, self._from_ts, end)
        failures = [
            Difference("fold", each.kind, each.ts, None, {"error": each.error}) for each in made.failures
        ]
        return Verification(
            self._from_ts,
            self._to_ts,
            bars=len(bars[1]),
            signals=len(signals[1]) + anomalies.signals,
            differences=(
                *differing_bars(*bars),
                *differing_signals(*signals, eras),
                *failures,
                *anomalies.differences,
            ),
            unverified=(*self._unverified, *anomalies.unverified),
        )

    async def _eras(self) -> Eras:
        versions = {fold.kind: fold.version for fold in self._folder.kinds}
        found = await verifications.eras(self._connection, self._listed.instrument_id, versions)
        for kind, began in found.items():
            if began is None or began > self._from_ts:
                end = self._to_ts if began is None else min(began, self._to_ts)
                self._unverified.append(Unverified(OTHER_VERSION, self._from_ts, end, kind))
        return Eras(versions, found)

    def _note_others(self, told: Iterable[Signal], eras: Eras) -> None:
        for kind in sorted({each.kind for each in told} - eras.versions.keys() - {KIND}):
            self._unverified.append(Unverified(UNKNOWN_KIND, self._from_ts, self._to_ts, kind))


def _left_bars(bars: Iterable[Bar], excluded: Sequence[Excluded]) -> list[Bar]:
    return [bar for bar in bars if not any(each.has_bar(bar) for each in excluded)]


def _left_signals(
    signals: Iterable[Signal], excluded: Sequence[Excluded], silences: Sequence[Silence]
) -> list[Signal]:
    silent = {each.kind: each.from_ts for each in silences}
    return [
        signal
        for signal in signals
        if signal.ts < silent.get(signal.kind, _FOR_EVER)
        and not any(each.has_signal(signal) for each in excluded)
    ]


def _joined(stretches: "Iterable[Stretch]") -> "list[Stretch]":
    """Return the stretches in order, with those that touch made one."""
    joined: list[Stretch] = []
    for each in sorted(stretches, key=lambda stretch: stretch.from_ts):
        if joined and each.from_ts <= joined[-1].to_ts:
            end = max(joined[-1].to_ts, each.to_ts)
            joined[-1] = type(each)(joined[-1].from_ts, end)
        else:
            joined.append(each)
    return joined
