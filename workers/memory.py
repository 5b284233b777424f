"""What a live worker remembers of an instrument, and from where it must fold what a claim lists. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from market.batches import Span
from market.ticks import Kind, TapeKey
from market.times import SECOND
from workers.folding import Folded, Folder, InstrumentState
from workers.silences import Silence, silenced
from workers.snapshots import SNAPSHOT_EVERY

REWIND: Final = 2 * SECOND
"""Event time within which ticks may come in any order and are simply folded again."""

_BEFORE_ANY_ID: Final = -(2**63)
_EVERY_KIND: Final = frozenset(Kind)


class Remembered(msgspec.Struct, frozen=True):
    """An instrument's state, and older ones to go back to: oldest first, reaching REWIND back.

    However often it is claimed, there is at most one older state for each SNAPSHOT_EVERY.
    """

    state: InstrumentState
    history: tuple[InstrumentState, ...]

    @property
    def oldest(self) -> InstrumentState:
        """Return the furthest state that can be gone back to: what a checkpoint keeps."""
        return self.history[0] if self.history else self.state

    def after(self, base: InstrumentState, folded: Folded) -> "Remembered":
        """Return what is remembered once ``folded`` was made from ``base``."""
        before = [state for state in (*self.history, self.state) if state.cursor <= base.cursor]
        kept = _one_a_slot((*before, *folded.snapshots))
        return Remembered(folded.state, _pruned(kept, folded.state.cursor.ts))

    def silenced(self, silences: Sequence[Silence]) -> "Remembered":
        """Return this with every state's silent kinds stopped."""
        state, *history = (silenced(each, silences, each.cursor.ts) for each in (self.state, *self.history))
        return Remembered(state, tuple(history)) if silences else self


class Plan(msgspec.Struct, frozen=True):
    """Fold ``kinds`` of the tape after ``base`` up to ``to``; ``late`` spans reach too far back for that."""

    base: InstrumentState
    to: TapeKey
    kinds: frozenset[Kind]
    again: bool
    late: tuple[Span, ...]


def begin(folder: Folder, spans: Iterable[Span]) -> Remembered:
    """Return the memory of an instrument whose tape begins with these spans."""
    began = min(span.first_ts for span in spans) - REWIND
    return Remembered(start_at(folder, began), ())


def start_at(folder: Folder, began: int) -> InstrumentState:
    """Return the state before the first tick of a tape that begins at ``began``."""
    return msgspec.structs.replace(folder.start(), cursor=place_before(began))


def place_before(ts: int) -> TapeKey:
    """Return the place before everything at ``ts``."""
    return TapeKey(ts, Kind.DEPTH, _BEFORE_ANY_ID)


def plan(remembered: Remembered, spans: Sequence[Span], settled_ts: int) -> Plan:
    """Return how to fold what was listed: forward, or again from a state before its first tick.

    What lies before ``settled_ts`` is late even for a worker that remembers more.
    """
    cursor = remembered.state.cursor
    first, last = min(span.first for span in spans), max(span.last for span in spans)
    if first > cursor:
        listed = frozenset(Kind(span.kind) for span in spans)
        return Plan(remembered.state, last, listed, again=False, late=())
    base = next((s for s in reversed(remembered.history) if s.cursor < first), remembered.oldest)
    late = tuple(span for span in spans if span.first <= base.cursor or span.first_ts < settled_ts)
    return Plan(base, max(cursor, last), _EVERY_KIND, again=True, late=late)


def _one_a_slot(states: Sequence[InstrumentState]) -> tuple[InstrumentState, ...]:
    """Keep the last state of each SNAPSHOT_EVERY of event time."""
    return tuple({state.cursor.ts // SNAPSHOT_EVERY: state for state in states}.values())


def _pruned(states: Sequence[InstrumentState], newest_ts: int) -> tuple[InstrumentState, ...]:
    """Drop what lies further back than the newest state that is REWIND back."""
    far = sum(state.cursor.ts <= newest_ts - REWIND for state in states)
    return tuple(states[max(far - 1, 0) :])
