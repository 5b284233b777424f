"""How a stretch of history ends: what is proven of it, and what the venue lacks for ever. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from db.holes import Hole
from ingest.history.pasts import Past
from market.gaps import TRADES, Cause, Finding, Gap, GapState

HOLES_AT_MOST: Final = 1000
"""A gap with more holes than this that the venue cannot fill is given up whole."""

_CONTIGUOUS: Final = "ids are contiguous"
_COMPLETE: Final = "the venue's answer is complete"


class Outcome(msgspec.Struct, frozen=True):
    """The end of a gap or a chunk, and gaps of their own for what is lacking within it."""

    state: GapState
    detail: str
    lacking: Sequence[Finding] = ()


def outcome(bounds: Gap | Past, holes: Sequence[Hole], *, contiguous: bool) -> Outcome:
    """Return the end of what was asked for, after its holes were asked for often enough."""
    if not holes:
        return Outcome(GapState.CLOSED, _CONTIGUOUS if contiguous and _has_edges(bounds) else _COMPLETE)
    if _is_all(bounds, holes) or len(holes) > HOLES_AT_MOST:
        return Outcome(GapState.UNRECOVERABLE, _lacks(holes))
    lacking = [_finding(bounds, hole) for hole in holes]
    return Outcome(GapState.CLOSED, f"all but what is unrecoverable: {_lacks(holes)}", lacking)


def _has_edges(bounds: Gap | Past) -> bool:
    return isinstance(bounds, Gap) and None not in (bounds.after_id, bounds.before_id)


def _is_all(bounds: Gap | Past, holes: Sequence[Hole]) -> bool:
    edges = [(hole.after_id, hole.before_id) for hole in holes]
    return isinstance(bounds, Gap) and edges == [(bounds.after_id, bounds.before_id)]


def _finding(bounds: Gap | Past, hole: Hole) -> Finding:
    """Return a hole as a gap, up to and with the time of the trade after it: what is lost may share it."""
    return Finding(
        instrument_id=bounds.instrument_id,
        kind=TRADES,
        cause=bounds.cause if isinstance(bounds, Gap) else Cause.SEQUENCE,
        state=GapState.UNRECOVERABLE,
        from_ts=min(hole.after_ts, hole.before_ts),
        to_ts=max(hole.after_ts, hole.before_ts) + 1,
        after_id=hole.after_id,
        before_id=hole.before_id,
        detail=_lacks([hole]),
    )


def _lacks(holes: Sequence[Hole]) -> str:
    """Return which ids are missing, in words; of many only how many."""
    missing = sum(hole.before_id - hole.after_id - 1 for hole in holes)
    if len(holes) > 1:
        more = " at least" if len(holes) > HOLES_AT_MOST else ""
        return f"the venue's history lacks {missing} trades in {len(holes)} places{more}"
    first, last = holes[0].after_id + 1, holes[0].before_id - 1
    return f"the venue's history lacks {f'trade {first}' if first == last else f'trades {first} to {last}'}"
