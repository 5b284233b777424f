"""Turn what was folded into rows and publications, within the claim's transaction."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from db import coverage, indicators, outcomes
from db.claims import Cursor, Instrument
from db.coverage import Stretch
from db.indicators import Replaced
from db.outcomes import DirtyInterval, FailedFold, NewPublication, NewSignal
from market.bars import NAMES, Bar
from market.batches import Span
from market.channels import Family
from market.publications import Publication
from market.signals import Delivery, Journey, Signal
from market.texts import bar_text, signal_text
from market.times import SECOND, floor
from workers.decisions import (
    Changes,
    Since,
    bar_key,
    compare_bars,
    compare_signals,
    signal_key,
    since,
)
from workers.folding import DecidedSignal, FinalBar, Folded, FoldFailure
from workers.journeys import Journeys
from workers.kinds.catalogue import KINDS
from workers.kinds.fold import Input
from workers.measuring import replaced
from workers.memory import Plan, Remembered
from workers.running import SHORTEST_FIRST

if TYPE_CHECKING:
    from db.connections import Connection

_WITHDRAWN = "null"
_DEPTH_KINDS = frozenset(fold.kind for fold in KINDS if fold.input is Input.DEPTH)


class Said(NamedTuple):
    """What a publication is about, and its text."""

    family: Family
    about: str
    ts: int
    text: str


class Step(msgspec.Struct, frozen=True):
    """One instrument in a claim: where it stood, what was planned, what came of it, what is remembered."""

    instrument: Instrument
    cursor: Cursor
    before: Remembered
    plan: Plan
    folded: Folded
    after: Remembered


class _Taken(NamedTuple):
    """What is to be told of one instrument."""

    instrument: Instrument
    bars: Changes[FinalBar, Bar]
    signals: Changes[DecidedSignal, Signal]

    def stretches(self) -> Iterator[Stretch]:
        """Iterate over what everything told was decided from."""
        instrument_id = self.instrument.instrument_id
        for final in self.bars.new + self.bars.changed:
            yield coverage.of_bar(instrument_id, final.bar)
        for decided in self.signals.new + self.signals.changed:
            yield coverage.of_signal(instrument_id, decided.signal)


class Telling:
    """Collects the rows of one claim and gives offsets; the shards that it speaks for are locked."""

    def __init__(
        self, connection: "Connection", now: int, code_version: str, journeys: Journeys | None = None
    ) -> None:
        """Speak at ``now``; without ``journeys`` signals have none, as of ticks that came long ago."""
        self._connection = connection
        self._now = now
        self._code_version = code_version
        self._journeys = journeys
        self._offsets: dict[tuple[int, Family], int] = {}
        self._taken: list[_Taken] = []
        self._shares: dict[Stretch, float] = {}
        self._bars: list[tuple[int, Bar]] = []
        self._signals: list[NewSignal] = []
        self._news: list[NewPublication] = []
        self._measured: list[Replaced] = []

    async def take(self, step: Step) -> None:
        """Take in what one instrument's fold decided."""
        instrument_id = step.instrument.instrument_id
        self._offsets[instrument_id, Family.BARS] = step.cursor.bars
        self._offsets[instrument_id, Family.SIGNALS] = step.cursor.signals
        self._taken.append(_Taken(step.instrument, *await self._changes(step)))
        self._measured.append(replaced(instrument_id, step.before.state, step.plan.base, step.folded))
        await self._bury(step)
        await self._mark_dirty(instrument_id, step.plan.late, step.cursor.settled_ts)

    @property
    def kinds(self) -> Counter[str]:
        """Return how many signals of each kind were written."""
        return Counter(each.signal.kind for each in self._signals)

    async def write(self) -> list[Publication]:
        """Write everything taken in, and return the publications, with coverage as it is known now."""
        self._shares = await self._covered()
        for each in self._taken:
            await self._tell_bars(each.instrument, each.bars)
            await self._tell_signals(each.instrument, each.signals)
        if self._bars:
            await outcomes.add_bars(self._connection, self._bars)
        if self._signals:
            await outcomes.add_signals(self._connection, self._signals, self._now, self._code_version)
        await indicators.replace(self._connection, self._measured)
        if self._news:
            await outcomes.publish(self._connection, self._news, self._now)
        return [each.publication for each in self._news]

    def offset(self, instrument_id: int, family: Family) -> int:
        """Return the last offset given."""
        return self._offsets[instrument_id, family]

    async def _covered(self) -> dict[Stretch, float]:
        stretches = list({stretch for taken in self._taken for stretch in taken.stretches()})
        shares = await coverage.shares(self._connection, stretches, look_back=coverage.NEWEST_PROOFS)
        return dict(zip(stretches, shares, strict=True))

    async def _changes(self, step: Step) -> tuple[Changes[FinalBar, Bar], Changes[DecidedSignal, Signal]]:
        """Compare with what was told, but for the bars that are left to repairs."""
        decided = [each for each in step.folded.bars if each.bar.end > step.cursor.settled_ts]
        if not step.plan.again:
            return Changes(decided, [], []), Changes(step.folded.signals, [], [])
        told = since(step.plan.base)
        instrument_id = step.instrument.instrument_id
        bars = await outcomes.bars_since(self._connection, instrument_id, told.bar_starts)
        earliest = min(told.bar_signals, told.depth_signals)
        signals = await outcomes.signals_since(self._connection, instrument_id, earliest)
        return (
            compare_bars(decided, {bar_key(bar): bar for bar in bars if bar.end > step.cursor.settled_ts}),
            compare_signals(
                step.folded.signals,
                {signal_key(signal): signal for signal in signals if _told_after(told, signal)},
            ),
        )

    async def _tell_bars(self, instrument: Instrument, changes: Changes[FinalBar, Bar]) -> None:
        for each in changes.new:
            self._news.append(self._next(instrument, "bar", self._said_of_bar(instrument, each.bar)))
        again = [each.bar for each in changes.changed]
        await self._remove_bars(instrument.instrument_id, again + changes.gone)
        for bar in again:
            await self._correct(instrument, self._said_of_bar(instrument, bar))
        for bar in changes.gone:
            gone = Said(Family.BARS, NAMES[bar.interval], bar.start, _WITHDRAWN)
            await self._correct(instrument, gone)
        self._bars += [(instrument.instrument_id, bar) for bar in [e.bar for e in changes.new] + again]

    async def _tell_signals(self, instrument: Instrument, changes: Changes[DecidedSignal, Signal]) -> None:
        for each in changes.new:
            self._news.append(self._next(instrument, "signal", self._said_of_signal(instrument, each)))
        again = [each.signal for each in changes.changed]
        await self._remove_signals(instrument.instrument_id, again + changes.gone)
        for each in changes.changed:
            await self._correct(instrument, self._said_of_signal(instrument, each))
        for signal in changes.gone:
            await self._correct(instrument, Said(Family.SIGNALS, signal.kind, signal.ts, _WITHDRAWN))
        self._signals += [
            NewSignal(
                instrument.instrument_id, each.signal, each.received_at, self._journey(instrument, each)
            )
            for each in changes.new + changes.changed
        ]

    async def _remove_bars(self, instrument_id: int, bars: Sequence[Bar]) -> None:
        if bars:
            await outcomes.remove_bars(self._connection, [(instrument_id, bar) for bar in bars])

    async def _remove_signals(self, instrument_id: int, signals: Sequence[Signal]) -> None:
        if signals:
            pairs = [(instrument_id, signal) for signal in signals]
            await outcomes.remove_signals(self._connection, pairs)

    def _said_of_bar(self, instrument: Instrument, bar: Bar) -> Said:
        share = self._shares[coverage.of_bar(instrument.instrument_id, bar)]
        text = bar_text(instrument.name, bar, share, "live")
        return Said(Family.BARS, NAMES[bar.interval], bar.start, text)

    def _said_of_signal(self, instrument: Instrument, decided: DecidedSignal) -> Said:
        signal = decided.signal
        share = self._shares[coverage.of_signal(instrument.instrument_id, signal)]
        journey = self._journey(instrument, decided)
        delivery = Delivery(share, decided.received_at, self._now, self._code_version, journey)
        text = signal_text(instrument.name, signal, delivery)
        return Said(Family.SIGNALS, signal.kind, signal.ts, text)

    def _journey(self, instrument: Instrument, decided: DecidedSignal) -> Journey | None:
        return self._journeys.of(instrument.instrument_id, decided) if self._journeys else None

    async def _correct(self, instrument: Instrument, said: Said) -> None:
        """Publish a correction; what was rebuilt and never published is not corrected."""
        again = self._next(instrument, "correction", said)
        revises = await outcomes.told_at(self._connection, again)
        if revises is None:
            self._offsets[instrument.instrument_id, said.family] -= 1
            return
        publication = msgspec.structs.replace(again.publication, revises=revises)
        self._news.append(msgspec.structs.replace(again, publication=publication))

    def _next(self, instrument: Instrument, op: str, said: Said) -> NewPublication:
        key = instrument.instrument_id, said.family
        self._offsets[key] += 1
        publication = Publication(*key, self._offsets[key], op, said.text, self._now)
        return NewPublication(publication, said.about, said.ts)

    async def _bury(self, step: Step) -> None:
        quarantined = {kind for kind, state in step.before.state.kinds.items() if state is None}
        for failure in step.folded.failures:
            if failure.kind not in quarantined:
                await outcomes.bury_fold(self._connection, self._failed(step.instrument, failure))

    def _failed(self, instrument: Instrument, failure: FoldFailure) -> FailedFold:
        return FailedFold(
            exchange=instrument.name.exchange,
            instrument_id=instrument.instrument_id,
            kind=failure.kind,
            from_ts=failure.ts,
            reason=failure.error,
            payload=msgspec.json.encode(failure),
            code_version=self._code_version,
        )

    async def _mark_dirty(self, instrument_id: int, late: Iterable[Span], settled_ts: int) -> None:
        intervals = [
            DirtyInterval(
                instrument_id,
                interval // SECOND,
                floor(span.first_ts, interval),
                floor(span.last_ts, interval) + interval,
            )
            for span in late
            for interval in SHORTEST_FIRST
        ]
        if intervals:
            await outcomes.mark_dirty(self._connection, intervals, "late", settled_ts)


def _told_after(since_base: Since, signal: Signal) -> bool:
    bound = since_base.depth_signals if signal.kind in _DEPTH_KINDS else since_base.bar_signals
    return signal.ts >= bound
