"""Which indicators are written: those of a fold, in place of those that an earlier one had found. Pure."""

from db.indicators import Replaced
from market.indicators import EVERY
from market.times import floor
from workers.folding import Folded, InstrumentState
from workers.running import SHORTEST_FIRST

_MINUTE = SHORTEST_FIRST.index(EVERY)


def undecided_from(state: InstrumentState) -> int:
    """Return from which time on indicators may still come: those before are decided by ``state``."""
    bar, depth, later = state.running[_MINUTE], state.depth, state.cursor.ts + 1
    return min(
        bar.end if bar else later,
        floor(depth.ts, EVERY) + EVERY if depth else later,
    )


def replaced(instrument_id: int, before: InstrumentState, base: InstrumentState, folded: Folded) -> Replaced:
    """Return what is written of a fold from ``base``, where the tape was folded up to ``before`` already."""
    first = undecided_from(base)
    again = first if first < undecided_from(before) else None
    return Replaced(instrument_id, again, None, folded.indicators)
