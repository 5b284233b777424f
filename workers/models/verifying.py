"""Whether the anomalies that stand are those that the models tell of the minutes that stand."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from db import scorings
from market.signals import Signal
from market.verifications import UNKNOWN_KIND, UNSETTLED, Unverified, Verification
from workers.contents import Eras, differing_signals
from workers.models.anomaly import KIND
from workers.models.reigning import Models

if TYPE_CHECKING:
    from db.connections import Connection

_OURS = Eras({}, {})


async def verified(
    connection: "Connection", instrument_id: int, stored: Sequence[Signal], from_ts: int, to_ts: int
) -> Verification:
    """Compare what is ``stored`` of [from_ts, to_ts), up to where minutes wait to be scored or told."""
    waits = await scorings.unscored_from(connection, instrument_id)
    end = to_ts if waits is None else max(min(to_ts, waits), from_ts)
    made = await Models().scored(connection, instrument_id, from_ts, end)
    versions = {each.version for each in made}
    right = [decided.signal for each in made for decided in each.signals]
    theirs = [each for each in stored if each.kind == KIND and each.ts < end]
    unverified = [Unverified(UNSETTLED, end, to_ts, KIND)] if made and end < to_ts else []
    if any(each.version not in versions for each in theirs):
        unverified.append(Unverified(UNKNOWN_KIND, from_ts, end, KIND))
    return Verification(
        from_ts,
        to_ts,
        signals=len(right),
        differences=tuple(
            differing_signals([each for each in theirs if each.version in versions], right, _OURS)
        ),
        unverified=tuple(unverified),
    )
