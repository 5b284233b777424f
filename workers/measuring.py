"""Which indicators are written: those of a fold, in place of those that an earlier one had found. Pure."""

from collections.abc import Sequence

from db.indicators import Replaced
from market.gaps import DEPTHS, TRADES
from workers.decisions import undecided
from workers.folding import Folded, InstrumentState
from workers.recomputing import Recomputed
from workers.silences import Silence, speaks


def replaced(
    instrument_id: int, before: InstrumentState, base: InstrumentState, folded: Folded, settled_ts: int
) -> list[Replaced]:
    """Return what is written of a fold from ``base``, where the tape was folded up to ``before`` already.

    What ended by ``settled_ts`` is left to repairs, unless it cannot have been written yet. Trades may be
    a minute behind depths in what they have decided, and the other way round: each has its own.
    """
    begun, done = undecided(base), undecided(before)
    made = []
    for source, end in done.items():
        first = max(begun[source], min(settled_ts + 1, end))
        again = first if first < end else None
        found = [each for each in folded.indicators if each.source == source and each.ts >= first]
        made.append(Replaced(instrument_id, source, again, None, found))
    return made


def repaired(
    instrument_id: int,
    made: Recomputed,
    silences: Sequence[Silence],
    base: InstrumentState | None,
    tail: Folded | None,
) -> list[Replaced]:
    """Return what is written of a repair, and of the fold of the ``tail`` from its state, if it has one."""
    later = tail.indicators if tail else []
    begun = dict.fromkeys((TRADES, DEPTHS), made.from_ts) if base is None else undecided(base)
    heard = [each for each in (*made.indicators, *later) if speaks(silences, each.kind, each.ts)]
    to_ts = None if tail else made.to_ts
    return [
        Replaced(
            instrument_id,
            source,
            min(made.from_ts, from_ts),
            to_ts,
            [each for each in heard if each.source == source],
        )
        for source, from_ts in begun.items()
    ]
