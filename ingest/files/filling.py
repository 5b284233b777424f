"""Gaps that a file fills, though nobody heals them: closed with the rows that fill them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from db import gaps
from db.chunks import Chunk
from db.holes import Edges, holes
from market.coverage import Proof
from market.gaps import Gap

if TYPE_CHECKING:
    from db.connections import Connection

IMPORTED: Final = "imported"


async def fill_proven(connection: "Connection", instrument_id: int, proven: Sequence[Proof]) -> None:
    """Close gaps that lie whole in one stretch of a file; in the transaction that stores it.

    What other roads proved says nothing here: a gap overrides them.
    """
    if not proven:
        return
    low, high = min(each.from_ts for each in proven), max(each.to_ts for each in proven)
    standing = await gaps.standing(connection, instrument_id, low, high)
    filled = [gap.gap_id for gap in standing if any(_holds(each, gap) for each in proven)]
    if filled:
        await gaps.brought(connection, filled, IMPORTED)


async def fill_numbered(connection: "Connection", chunk: Chunk) -> None:
    """Close gaps of which every id is stored by now; in a transaction."""
    standing = await gaps.standing(connection, chunk.instrument_id, chunk.from_ts, chunk.to_ts)
    filled = [gap.gap_id for gap in standing if await _is_numbered_through(connection, chunk, gap)]
    if filled:
        await gaps.brought(connection, filled, IMPORTED)


def _holds(proof: Proof, gap: Gap) -> bool:
    return proof.from_ts <= gap.from_ts and gap.to_ts <= proof.to_ts


async def _is_numbered_through(connection: "Connection", chunk: Chunk, gap: Gap) -> bool:
    if gap.after_id is None or gap.before_id is None:
        return False
    edges = Edges(
        exchange_id=chunk.exchange_id,
        instrument_id=chunk.instrument_id,
        from_ts=gap.from_ts,
        to_ts=gap.to_ts,
        after_id=gap.after_id,
        before_id=gap.before_id,
    )
    return not await holes(connection, edges, 1)
