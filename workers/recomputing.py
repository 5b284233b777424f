"""What a stretch of a tape means, computed again beside what is stored: exactly what folding it live gives.

Every kind has a finite memory, so the fold may begin a memory before the stretch instead of at the tape's
beginning. Bars are folded from their own start, the longest too. It folds in a thread: the process, the
scheduler at night, say, goes on meanwhile.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from db.tapes import Newest
from market.bars import Bar
from market.depths import Depth
from market.indicators import Indicator
from market.ticks import Kind
from market.times import MINUTE, SECOND, floor
from workers import stored_states
from workers.decisions import since, undecided_from
from workers.folding import DecidedSignal, FinalBar, Folded, Folder, FoldFailure, InstrumentState, Tick
from workers.kinds.fold import Input
from workers.memory import place_before, start_at
from workers.reading import FIRST_READ, Tape, next_step
from workers.running import SHORTEST_FIRST
from workers.silences import Silence, silenced, speaks

_EVERY_KIND: Final = frozenset(Kind)
_TRADES: Final = frozenset({Kind.TRADE})
_BOOK_REACH: Final = 10 * MINUTE


class Range(msgspec.Struct, frozen=True, array_like=True):
    """Bars of one interval that start in [from_ts, to_ts)."""

    from_ts: int
    to_ts: int


class Recomputed(msgspec.Struct, frozen=True, array_like=True):
    """What the tape decides of a stretch: everything, and nothing else.

    ``signals`` and ``indicators`` are those with ``from_ts`` <= ts < ``to_ts``, ``bars`` those that start in
    the range of their interval. With a ``state`` (as encoded by the folder) the tape was not read beyond it:
    then it is only what is decided by then, and the state is that of a live worker at its cursor.
    """

    from_ts: int
    to_ts: int
    ranges: dict[int, Range]
    bars: list[FinalBar]
    signals: list[DecidedSignal]
    indicators: list[Indicator]
    failures: list[FoldFailure]
    state: bytes | None


async def recompute(  # noqa: PLR0913 - what, of what, how far
    folder: Folder,
    tape: Tape,
    from_ts: int,
    to_ts: int,
    *,
    settled_ts: int,
    silences: Sequence[Silence] = (),
) -> Recomputed:
    """Compute what [from_ts, to_ts) holds: the bars that lie within it, and its signals.

    What lies after ``settled_ts``, where ticks may still come, is not looked at; if that was not enough,
    there is a state.
    """
    ranges = {each: Range(_ceiling(from_ts, each), floor(to_ts, each)) for each in SHORTEST_FIRST}
    run = _Run(folder, tape, ranges, from_ts, to_ts)
    await run.go(settled_ts)
    return run.made(silences)


class Effects:
    """All that ticks in [from_ts, to_ts) have a say in: bars that overlap it, signals that remember it.

    So they have in what was undecided when the first of them came: it ends the bar before.
    """

    def __init__(self, folder: Folder, tape: Tape, from_ts: int, to_ts: int) -> None:
        self._run = _Effects(folder, tape, from_ts, to_ts)

    async def follow(self, settled_ts: int) -> bool:
        """Compute up to ``settled_ts``, further than before; tell whether nothing later remembers it."""
        await self._run.go(settled_ts)
        return self._run.ended

    @property
    def began_ts(self) -> int:
        """Return from when on the tape was read, but for bars that ran by then; once it was followed."""
        return self._run.began_ts

    def made(self, silences: Sequence[Silence] = ()) -> Recomputed:
        """Return what was computed; it has a state unless nothing later remembers the stretch."""
        return self._run.made(silences)


class _Run:
    """One computation: signals before ``_end`` are to be known, which itself may not be known yet."""

    def __init__(
        self, folder: Folder, tape: Tape, ranges: Mapping[int, Range], from_ts: int, end: int | None
    ) -> None:
        self._folder = folder
        self._tape = tape
        self._ranges = dict(ranges)
        self._from_ts = from_ts
        self._end = end
        self._bars: list[FinalBar] = []
        self._signals: list[DecidedSignal] = []
        self._indicators: list[Indicator] = []
        self._failures: list[FoldFailure] = []
        self._state = folder.start()
        self._settled_ts = 0
        self._ended = False
        self.began_ts = from_ts

    async def go(self, settled_ts: int) -> None:
        """Fold from a memory before the stretch until all of it is decided, or to ``settled_ts``.

        Called again with a later one, it goes on from there.
        """
        if not self._settled_ts:
            self._state = await self._warm(min(self._from_ts, settled_ts))
        position, step = max(self._settled_ts, self._state.cursor.ts), FIRST_READ
        while position < settled_ts and not self._ended:
            to_ts = min(position + step, settled_ts)
            ticks = await self._tape.read(place_before(position), place_before(to_ts), _EVERY_KIND)
            self._take(ticks, await asyncio.to_thread(self._folder.fold, self._state, ticks))
            position, step = to_ts, next_step(step, len(ticks))
        self._settled_ts = settled_ts

    @property
    def ended(self) -> bool:
        """Tell whether all of it is decided."""
        return self._ended

    def made(self, silences: Sequence[Silence]) -> Recomputed:
        """Return what came of it, without what the silent kinds would have said."""
        end = self._end if self._ended and self._end is not None else self._settled_ts
        ranges = self._ranges if self._ended else self._decided_ranges()
        state = None if self._ended else silenced(self._state, silences, self._settled_ts)
        return Recomputed(
            from_ts=self._from_ts,
            to_ts=end,
            ranges=ranges,
            bars=[each for each in self._bars if _within(ranges, each.bar)],
            signals=[
                each
                for each in self._signals
                if each.signal.ts < end and speaks(silences, each.signal.kind, each.signal.ts)
            ],
            indicators=[
                each for each in self._indicators if each.ts < end and speaks(silences, each.kind, each.ts)
            ],
            failures=[each for each in self._failures if speaks(silences, each.kind, each.ts)],
            state=None if state is None else stored_states.encode(self._folder, state),
        )

    def _decided_ranges(self) -> dict[int, Range]:
        """Return the ranges as far as nothing after the state adds to them."""
        told = since(self._state).bar_starts
        return {
            interval: Range(each.from_ts, max(each.from_ts, min(each.to_ts, told[interval])))
            for interval, each in self._ranges.items()
        }

    def _take(self, _ticks: Sequence[Tick], folded: Folded) -> None:
        self._state = folded.state
        self._bars += [each for each in folded.bars if _within(self._ranges, each.bar)]
        self._signals += [each for each in folded.signals if each.signal.ts >= self._from_ts]
        self._indicators += [each for each in folded.indicators if each.ts >= self._from_ts]
        self._failures += folded.failures
        self._ended = self._all_decided(folded.state)

    def _all_decided(self, state: InstrumentState) -> bool:
        told = since(state)
        decided = min(told.bar_signals, told.depth_signals, undecided_from(state))
        if self._end is None or decided < self._end:
            return False
        return all(told.bar_starts[interval] >= each.to_ts for interval, each in self._ranges.items())

    async def _warm(self, before_ts: int) -> InstrumentState:
        """Return the state from which all that follows ``before_ts`` comes out right.

        One item more than is remembered: that a kind is warm, it knows from the value before.
        """
        reach = before_ts - _span(self._folder)
        bars, depths = _items(self._folder, Input.BARS), _items(self._folder, Input.DEPTH)
        began = min(
            await self._tape.second_before(reach, bars + 1),
            await self._tape.depth_before(reach, depths + 1),
        )
        self.began_ts = began = floor(began, SECOND)
        running = (await self._bars_at(began)).running
        return msgspec.structs.replace(start_at(self._folder, began), running=running)

    async def _bars_at(self, ts: int) -> InstrumentState:
        """Fold bars alone from where the longest that contains ``ts`` starts."""
        bare = Folder(())
        start, step = floor(ts, SHORTEST_FIRST[-1]), FIRST_READ
        state = start_at(bare, start)
        while start < ts:
            end = min(start + step, ts)
            trades = await self._tape.read(place_before(start), place_before(end), _TRADES)
            state = bare.fold(state, trades).state
            start, step = end, next_step(step, len(trades))
        return state


class _Effects(_Run):
    """A computation that goes on until nothing remembers the stretch."""

    def __init__(self, folder: Folder, tape: Tape, from_ts: int, to_ts: int) -> None:
        super().__init__(folder, tape, _overlapping(from_ts, to_ts), from_ts, None)
        self._to_ts = to_ts
        self._forgets_from = _ceiling(to_ts, SECOND)
        self._later_bars: list[int] = []
        self._later_depths: list[int] = []

    async def go(self, settled_ts: int) -> None:
        if not self._settled_ts:
            self._from_ts = _undecided_from(await self._tape.newest_before(self._from_ts), self._from_ts)
            self._ranges = _overlapping(self._from_ts, self._to_ts)
        await super().go(settled_ts)

    def _take(self, ticks: Sequence[Tick], folded: Folded) -> None:
        if self._end is None:
            seconds = [each.bar for each in folded.bars if each.bar.interval == SECOND]
            self._later_bars += [bar.end for bar in seconds if bar.start >= self._forgets_from]
            depths = [tick.ts for tick in ticks if isinstance(tick, Depth)]
            self._later_depths += [ts for ts in depths if ts >= self._forgets_from]
            self._end = self._forgotten()
        super()._take(ticks, folded)

    def _forgotten(self) -> int | None:
        """Return from when on every kind has seen enough since to have forgotten; None: not yet."""
        bars, depths = _items(self._folder, Input.BARS), _items(self._folder, Input.DEPTH)
        if len(self._later_bars) < bars or len(self._later_depths) < depths:
            return None
        seen = [*self._later_bars[bars - 1 : bars], *self._later_depths[depths - 1 : depths]]
        return max([self._forgets_from, *seen]) + _span(self._folder)


def _overlapping(from_ts: int, to_ts: int) -> dict[int, Range]:
    return {each: Range(floor(from_ts, each), _ceiling(to_ts, each)) for each in SHORTEST_FIRST}


def _undecided_from(newest: Newest, ts: int) -> int:
    """Return from when on nothing may have been decided yet, when the tape had come to just before ``ts``.

    Who folds past a tick that came late decides it in silence. A book that is not listened to any more
    leaves nothing to go back to.
    """
    passed = ts if newest.trade is None else max(newest.trade, newest.watermark or newest.trade)
    book = newest.depth if newest.depth is not None and newest.depth > passed - _BOOK_REACH else passed
    return floor(min(passed, book, ts), SECOND)


def _items(folder: Folder, side: Input) -> int:
    return folder.timelines.items(side)


def _span(folder: Folder) -> int:
    return folder.timelines.span()


def _within(ranges: Mapping[int, Range], bar: Bar) -> bool:
    of_interval = ranges[bar.interval]
    return of_interval.from_ts <= bar.start < of_interval.to_ts


def _ceiling(ts: int, interval: int) -> int:
    return -floor(-ts, interval)
