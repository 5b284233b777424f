"""Gaps and proofs, for tests: written as ingest and its healer write them."""

from typing import TYPE_CHECKING, Any

from db import gaps, proofs
from market.coverage import Proof
from market.gaps import TRADES, Cause, Finding, Gap, GapState
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed

T = 1_733_270_400 * SECOND
"""2024-12-04T00:00:00Z."""


async def prove(
    connection: "Connection", listed: "Listed", from_seconds: float, to_seconds: float, kind: str = TRADES
) -> None:
    proof = Proof(listed.instrument_id, kind, T + int(from_seconds * SECOND), T + int(to_seconds * SECOND))
    await proofs.extend(connection, [proof])


async def find(
    connection: "Connection", listed: "Listed", from_seconds: float, to_seconds: float, **more: Any
) -> Gap:
    """Record a finding and return the gap."""
    fields: dict[str, Any] = {"kind": TRADES, "cause": Cause.RECONNECT, "state": GapState.OPEN, **more}
    found = Finding(
        instrument_id=listed.instrument_id,
        from_ts=T + int(from_seconds * SECOND),
        to_ts=T + int(to_seconds * SECOND),
        **fields,
    )
    async with connection.transaction():
        [gap] = await gaps.record(connection, [found])
    return gap


async def close(connection: "Connection", gap: Gap, detail: str = "ids are contiguous") -> Gap:
    """Settle a gap as its healer does."""
    async with connection.transaction():
        closed = await gaps.settle(connection, gap, GapState.CLOSED, detail)
    assert closed is not None
    return closed
