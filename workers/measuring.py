"""Which indicators are written: those of a fold, in place of those that an earlier one had found. Pure."""

from collections.abc import Sequence

from db.indicators import Replaced
from workers.decisions import undecided_from
from workers.folding import Folded, InstrumentState
from workers.recomputing import Recomputed
from workers.silences import Silence, speaks


def replaced(
    instrument_id: int, before: InstrumentState, base: InstrumentState, folded: Folded, settled_ts: int
) -> Replaced:
    """Return what is written of a fold from ``base``, where the tape was folded up to ``before`` already.

    What ended by ``settled_ts`` is left to repairs, unless it cannot have been written yet.
    """
    undecided = undecided_from(before)
    first = max(undecided_from(base), min(settled_ts + 1, undecided))
    again = first if first < undecided else None
    return Replaced(instrument_id, again, None, [each for each in folded.indicators if each.ts >= first])


def repaired(
    instrument_id: int,
    made: Recomputed,
    silences: Sequence[Silence],
    base: InstrumentState | None,
    tail: Folded | None,
) -> Replaced:
    """Return what is written of a repair, and of the fold of the ``tail`` from its state, if it has one."""
    later = tail.indicators if tail else []
    from_ts = made.from_ts if base is None else min(made.from_ts, undecided_from(base))
    heard = [each for each in (*made.indicators, *later) if speaks(silences, each.kind, each.ts)]
    return Replaced(instrument_id, from_ts, None if tail else made.to_ts, heard)
