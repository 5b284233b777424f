"""How a piece of a backfill ends: what is proven, and what the venue could not give. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from db.holes import Hole
from ingest.history.outcomes import outcome
from ingest.history.pasts import Past
from market.gaps import TRADES, Cause, Finding, Gap, GapState


class End(NamedTuple):
    """What is proven of a piece but for what is lacking."""

    proven: bool
    lacking: Sequence[Finding]


def ending(past: Past, found: Sequence[Hole], began: int | None) -> End:
    """Return the end of a piece with these holes; the venue remembers nothing before ``began``."""
    made = outcome(past, found, contiguous=True)
    if made.state != GapState.CLOSED:
        return End(proven=False, lacking=[_whole(past, past.to_ts, made.detail)])
    early = [] if began is None else [_whole(past, began, "the venue's history begins after it")]
    return End(proven=True, lacking=[each for each in [*early, *made.lacking] if each.from_ts < each.to_ts])


def unknown(lacking: Sequence[Finding], standing: Sequence[Gap]) -> list[Finding]:
    """Return what is lacking and was not known to."""
    known = {(gap.from_ts, gap.after_id, gap.before_id) for gap in standing}
    return [each for each in lacking if (each.from_ts, each.after_id, each.before_id) not in known]


def touches(gap: Gap, lacking: Sequence[Finding]) -> bool:
    """Tell whether something is lacking in a gap still."""
    return any(each.from_ts < gap.to_ts and gap.from_ts < each.to_ts for each in lacking)


def _whole(past: Past, to_ts: int, detail: str) -> Finding:
    return Finding(
        instrument_id=past.instrument_id,
        kind=TRADES,
        cause=Cause.SEQUENCE,
        state=GapState.UNRECOVERABLE,
        from_ts=past.from_ts,
        to_ts=to_ts,
        detail=detail,
    )
