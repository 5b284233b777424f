"""Whether what is stored is what the tape says: computed again, and compared byte for byte.

Each piece is read in one snapshot, so that live workers change nothing under it, and none is held for long.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from db import verifications
from db.errors import translated
from market.bars import Bar
from market.signals import Signal
from market.times import HOUR, floor
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
from workers import stored_states
from workers.contents import (
    Either,
    Eras,
    Excluded,
    differing_bars,
    differing_indicators,
    differing_signals,
)
from workers.decisions import since, undecided_from
from workers.folding import Folder
from workers.kinds.fold import Input
from workers.learning import learn
from workers.models import verifying as models
from workers.models.anomaly import KIND
from workers.recomputing import Effects, Recomputed, recompute
from workers.shards import read_silences
from workers.silences import Silence, speaks
from workers.stored_tapes import StoredTape

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed
    from db.verifications import Stretch

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
        """Yield what came of each piece, cut where hours begin, so that no bar lies across a cut.

        What follows a piece of which nothing is settled is one more.
        """
        while from_ts < to_ts:
            end = min(floor(from_ts, HOUR) + _PIECE, to_ts)
            with translated("verifying"):
                async with self._connection.transaction(isolation="repeatable_read", readonly=True):
                    await learn(self._connection, self._folder)
                    piece = _Piece(self._connection, self._folder, listed, from_ts, end)
                    found = await piece.verified()
            yield found
            if found == _unsettled(from_ts, end):
                yield _unsettled(end, to_ts)
                return
            from_ts = end


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
            return _unsettled(self._from_ts, self._to_ts)
        silences = await self._silences()
        made = await recompute(
            self._folder, self._tape, self._from_ts, self._to_ts, settled_ts=settled_ts, silences=silences
        )
        end = self._decided_until(made)
        if end < self._to_ts:
            self._unverified.append(Unverified(UNSETTLED, end, self._to_ts))
        failed = [Silence(each.kind, each.ts) for each in made.failures]
        left = _Left(await self._excluded(settled_ts), [*silences, *failed], end)
        return await self._compared(made, left)

    def _decided_until(self, made: Recomputed) -> int:
        """Return the time before which everything is decided, stored and computed again alike."""
        if made.state is None:
            return self._to_ts
        state = stored_states.decode(self._folder, made.state)
        told = since(state)
        decided = told.bar_signals, told.depth_signals, undecided_from(state)
        return min(self._to_ts, made.to_ts, *decided)

    async def _silences(self) -> list[Silence]:
        instrument_id = self._listed.instrument_id
        found = (await read_silences(self._connection, [instrument_id])).get(instrument_id, ())
        silences = [each for each in found if each.from_ts < self._to_ts]
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
        memory = self._folder.timelines
        reach = floor(self._from_ts, HOUR) - memory.span()
        bars, depths = memory.items(Input.BARS), memory.items(Input.DEPTH)
        return min(
            await self._tape.second_before(reach, bars + 1), await self._tape.depth_before(reach, depths + 1)
        )

    async def _compared(self, made: Recomputed, left: "_Left") -> Verification:
        eras = await self._eras()
        told = await verifications.signals(
            self._connection, self._listed.instrument_id, self._from_ts, left.end
        )
        self._note_others(told, eras)
        bars, bars_differ = await self._compare_bars(made, left)
        own, right = left.told(filter(eras.is_ours, told)), left.told(each.signal for each in made.signals)
        indicators, indicators_differ = await self._compare_indicators(made, left, eras)
        anomalies = await models.verified(
            self._connection, self._listed.instrument_id, told, self._from_ts, left.end
        )
        failures = [
            Difference("fold", each.kind, each.ts, None, {"error": each.error}) for each in made.failures
        ]
        return Verification(
            self._from_ts,
            self._to_ts,
            bars=bars,
            signals=len(right) + anomalies.signals,
            indicators=indicators,
            differences=(
                *bars_differ,
                *differing_signals(own, right, eras),
                *indicators_differ,
                *failures,
                *anomalies.differences,
            ),
            unverified=(*self._unverified, *anomalies.unverified),
        )

    async def _compare_bars(self, made: Recomputed, left: "_Left") -> tuple[int, list[Difference]]:
        ranges = {interval: (each.from_ts, each.to_ts) for interval, each in made.ranges.items()}
        stored = await verifications.bars(self._connection, self._listed.instrument_id, ranges)
        right = left.bars(each.bar for each in made.bars)
        return len(right), differing_bars(left.bars(stored), right)

    async def _compare_indicators(
        self, made: Recomputed, left: "_Left", eras: Eras
    ) -> tuple[int, list[Difference]]:
        instrument_id = self._listed.instrument_id
        told = await verifications.indicators(self._connection, instrument_id, self._from_ts, left.end)
        since = await verifications.measured_since(self._connection, instrument_id, eras.versions)
        right = left.told(made.indicators)
        own = left.told(filter(eras.is_ours, told))
        return len(right), differing_indicators(own, right, eras._replace(since=since))

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


class _Left(NamedTuple):
    """What is left to judge: before ``end``, and neither to be repaired nor of a silent kind."""

    excluded: Sequence[Excluded]
    silences: Sequence[Silence]
    end: int

    def bars(self, bars: Iterable[Bar]) -> list[Bar]:
        return [bar for bar in bars if not any(each.has_bar(bar) for each in self.excluded)]

    def told(self, told: Iterable[Either]) -> list[Either]:
        return [
            each
            for each in told
            if each.ts < self.end
            and speaks(self.silences, each.kind, each.ts)
            and not any(excluded.has(each) for excluded in self.excluded)
        ]


def _unsettled(from_ts: int, to_ts: int) -> Verification:
    return Verification(from_ts, to_ts, unverified=(Unverified(UNSETTLED, from_ts, to_ts),))


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
