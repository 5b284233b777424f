"""What a job changed: what was missing before it, what is now, and what the venue could not give."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from db import asked
from db.asked import StoredJob
from db.history import gaps
from db.history.gaps import Filters
from db.instruments import listed
from db.proofs import read_coverage
from market.coverage import Interval, united, without
from market.gaps import TRADES, Gap, GapState

if TYPE_CHECKING:
    from db.connections import Connection


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Of one instrument, ``name``: intervals missing before and now, and gaps that stay for ever."""

    name: str
    before: Sequence[Interval]
    now: Sequence[Interval]
    lacking: Sequence[Gap]


async def differences(connection: "Connection", job: StoredJob) -> list[Difference]:
    """Return what a job changed so far, one instrument after the other."""
    if job.from_ts is None or job.to_ts is None:
        return []
    whole = Interval(job.from_ts, job.to_ts)
    before: dict[int, list[Interval]] = defaultdict(list)
    for piece in await asked.pieces(connection, job.job_id):
        before[piece.instrument_id].append(Interval(piece.from_ts, piece.to_ts))
    known = await read_coverage(connection, before, TRADES, job.from_ts, job.to_ts)
    names = {each.instrument_id: each.instrument.key for each in await listed(connection)}
    lost = Filters(
        instrument_ids=list(before),
        kind=TRADES,
        states=[GapState.UNRECOVERABLE],
        from_ts=job.from_ts,
        to_ts=job.to_ts,
    )
    lacking = await gaps.read(connection, lost, limit=1000)
    return [
        Difference(
            name=names[each],
            before=united(intervals),
            now=without([whole], known[each].intervals(*whole)),
            lacking=[gap for gap in lacking if gap.instrument_id == each],
        )
        for each, intervals in before.items()
    ]
