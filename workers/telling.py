"""Turn what was folded into rows and publications, within the claim's transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from db import coverage, dirty, indicators, outcomes
from db.claims import Cursor, Instrument
from db.coverage import Stretch
from db.dirty import DirtyInterval
from db.indicators import Replaced
from db.outcomes import FailedFold, NewPublication, NewSignal
from market.bars import NAMES, Bar
from market.batches import Span
from market.channels import Family
from market.publications import Publication
from market.signals import Delivery, Journey, Signal
from market.texts import bar_text, signal_text
from market.times import SECOND, floor
from workers.decisions import (
    Changes,
    Ours,
    bar_key,
    compare_bars,
    compare_signals,
    is_told_after,
    signal_key,
    since,
)
from workers.folding import DecidedSignal, FinalBar, Folded, FoldFailure
from workers.journeys import Journeys
from workers.measuring import replaced
from workers.memory import Plan, Remembered

if TYPE_CHECKING:
    from db.connections import Connection

_WITHDRAWN = "null"


class Said(NamedTuple):
    """What a publication is about, and its text."""

    family: Family
    about: str
    ts: int
    text: str


class Moved(msgspec.Struct, frozen=True):
    """One instrument in a claim: where it stood, and what is remembered of it from now on."""

    instrument: Instrument
    cursor: Cursor
    after: Remembered


class Step(Moved, frozen=True):
    """The same of what was folded forward: what was planned, and what came of it."""

    before: Remembered
    plan: Plan
    folded: Folded


class _Taken(NamedTuple):
    """What is to be told of one instrument."""

    instrument: Instrument
    bars: Changes[FinalBar, Bar]
    signals: Changes[DecidedSignal, Signal]
    began_ts: int
    source: str

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
        self._bars: defaultdict[str, list[tuple[int, Bar]]] = defaultdict(list)
        self._signals: list[NewSignal] = []
        self._news: list[NewPublication] = []
        self._measured: list[Replaced] = []

    async def take(self, step: Step) -> None:
        """Take in what one instrument's fold decided."""
        self.add(step.instrument, step.cursor, *await self._changes(step), "live")
        self.measure(
            replaced(
                step.instrument.instrument_id,
                step.before.state,
                step.plan.base,
                step.folded,
                step.cursor.settled_ts,
            )
        )
        await self._lift(step)
        await self.bury(step.instrument, step.folded.failures)
        await self._mark_dirty(step.instrument.instrument_id, step.plan.late)

    def add(
        self,
        instrument: Instrument,
        cursor: Cursor,
        bars: Changes[FinalBar, Bar],
        signals: Changes[DecidedSignal, Signal],
        source: str,
    ) -> None:
        """Take in changes, to be told by the offsets after ``cursor``; what is older than live, silently."""
        instrument_id = instrument.instrument_id
        self._offsets[instrument_id, Family.BARS] = cursor.bars
        self._offsets[instrument_id, Family.SIGNALS] = cursor.signals
        self._taken.append(_Taken(instrument, bars, signals, cursor.began_ts, source))

    def measure(self, measured: Iterable[Replaced]) -> None:
        """Take in indicators."""
        self._measured += measured

    async def bury(self, instrument: Instrument, failures: Iterable[FoldFailure]) -> None:
        """Write the dead letters and quarantines of kinds that failed."""
        for failure in failures:
            await outcomes.bury_fold(self._connection, self._failed(instrument, failure))

    async def _lift(self, step: Step) -> None:
        """Forget failures of a stretch that is folded again: they stand only if it fails again."""
        stopped = (kind for kind, state in step.before.state.kinds.items() if state is None)
        again = [kind for kind in stopped if step.plan.base.kinds[kind] is not None]
        if again:
            await outcomes.lift(self._connection, step.instrument.instrument_id, again)

    @property
    def kinds(self) -> Counter[str]:
        """Return how many signals of each kind were written."""
        return Counter(each.signal.kind for each in self._signals)

    async def write(self) -> list[Publication]:
        """Write everything taken in, and return the publications, with coverage as it is known now."""
        self._shares = await self._covered()
        for each in self._taken:
            await self._tell_bars(each)
            await self._tell_signals(each)
        for source, bars in self._bars.items():
            await outcomes.add_bars(self._connection, bars, source)
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
        """Compare with what was told, but for what is left to repairs, or told by others."""
        if not step.plan.again:
            return Changes(step.folded.bars, [], []), Changes(step.folded.signals, [], [])
        ours = Ours(since(step.before.state), step.cursor.settled_ts)
        told, kinds = since(step.plan.base), step.plan.base.kinds
        instrument_id = step.instrument.instrument_id
        bars = await outcomes.bars_since(self._connection, instrument_id, told.bar_starts)
        earliest = min(told.bar_signals, told.depth_signals)
        signals = await outcomes.signals_since(self._connection, instrument_id, earliest)
        return (
            compare_bars(
                [each for each in step.folded.bars if ours.bar(each.bar)],
                {bar_key(bar): bar for bar in bars if ours.bar(bar)},
            ),
            compare_signals(
                [each for each in step.folded.signals if ours.signal(each.signal)],
                {
                    signal_key(signal): signal
                    for signal in signals
                    if signal.kind in kinds and is_told_after(told, signal) and ours.signal(signal)
                },
            ),
        )

    async def _tell_bars(self, taken: _Taken) -> None:
        instrument, changes = taken.instrument, taken.bars
        for each in changes.new:
            if each.bar.end > taken.began_ts:
                said = self._said_of_bar(instrument, each.bar, taken.source)
                self._news.append(self._next(instrument, "bar", said))
        again = [each.bar for each in changes.changed]
        await self._remove_bars(instrument.instrument_id, again + changes.gone)
        said_again = [self._said_of_bar(instrument, bar, taken.source) for bar in again]
        gone = [Said(Family.BARS, NAMES[bar.interval], bar.start, _WITHDRAWN) for bar in changes.gone]
        await self._correct(instrument, Family.BARS, said_again + gone)
        if changes.new or again:
            written = [each.bar for each in changes.new] + again
            self._bars[taken.source] += [(instrument.instrument_id, bar) for bar in written]

    async def _tell_signals(self, taken: _Taken) -> None:
        instrument, changes = taken.instrument, taken.signals
        for each in changes.new:
            if each.signal.ts >= taken.began_ts:
                self._news.append(self._next(instrument, "signal", self._said_of_signal(instrument, each)))
        again = [each.signal for each in changes.changed]
        await self._remove_signals(instrument.instrument_id, again + changes.gone)
        said_again = [self._said_of_signal(instrument, each) for each in changes.changed]
        gone = [Said(Family.SIGNALS, signal.kind, signal.ts, _WITHDRAWN) for signal in changes.gone]
        await self._correct(instrument, Family.SIGNALS, said_again + gone)
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

    def _said_of_bar(self, instrument: Instrument, bar: Bar, source: str) -> Said:
        share = self._shares[coverage.of_bar(instrument.instrument_id, bar)]
        text = bar_text(instrument.name, bar, share, source)
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

    async def _correct(self, instrument: Instrument, family: Family, said: Sequence[Said]) -> None:
        """Publish corrections; what was rebuilt and never published is not corrected."""
        if not said:
            return
        things = [(each.about, each.ts) for each in said]
        told = await outcomes.told_at(self._connection, instrument.instrument_id, family, things)
        for each, thing in zip(said, things, strict=True):
            if revises := told.get(thing):
                again = self._next(instrument, "correction", each)
                publication = msgspec.structs.replace(again.publication, revises=revises)
                self._news.append(msgspec.structs.replace(again, publication=publication))

    def _next(self, instrument: Instrument, op: str, said: Said) -> NewPublication:
        key = instrument.instrument_id, said.family
        self._offsets[key] += 1
        publication = Publication(*key, self._offsets[key], op, said.text, self._now)
        return NewPublication(publication, said.about, said.ts)

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

    async def _mark_dirty(self, instrument_id: int, late: Iterable[Span]) -> None:
        intervals = [
            DirtyInterval(instrument_id, floor(span.first_ts, SECOND), span.last_ts + 1) for span in late
        ]
        if intervals:
            await dirty.mark(self._connection, intervals, "late")
