"""Pieces of history to fetch: claimed under a lease, stored a page at a time with the cursor."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from db import dead_letters, dirty, near
from db.dead_letters import DeadLetter
from db.errors import translated
from db.queries import load
from db.stretches import covering
from market.errors import StoreConflictError
from market.trades import Trade

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("chunks")

HEALING: Final = ("heal", "recent")
BACKFILL: Final = "backfill"

_SETTLING: Final = 0x4843484B
"""'HCHK'; the class of advisory locks, below it one an instrument."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed piece: [from_ts, to_ts) of an instrument, in microseconds, and how far it is.

    ``cursor`` is where the next page begins of those up to ``to_ts``; its gap may reach further by now.
    ``attempts`` had no answer, in a row; ``rounds`` had a complete one that lacked trades. ``rest_url``
    stands in for the venue's own hosts.
    """

    chunk_id: int
    job_id: int
    kind: str
    gap_id: int | None
    instrument_id: int
    exchange_id: int
    exchange: str
    symbol: str
    protocol: str | None
    rest_url: str | None
    from_ts: int
    to_ts: int
    cursor: str
    attempts: int
    rounds: int


class Lease(msgspec.Struct, frozen=True):
    """Who holds a chunk, and how long after it was last heard of."""

    holder: str
    seconds: float


class FetchedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of trades; ``tolerance`` microseconds may lie between its times and those of the socket."""

    trades: Sequence[Trade]
    letters: Sequence[DeadLetter]
    cursor: str
    tolerance: int


class Hands(msgspec.Struct, frozen=True):
    """What a free hand may take: kinds of jobs, but nothing of venues that have hands enough already.

    ``crowded`` venues have enough of backfill.
    """

    kinds: Sequence[str] = (*HEALING, BACKFILL)
    busy: Sequence[str] = ()
    crowded: Sequence[str] = ()


_ANYTHING: Final = Hands()


async def claim(connection: "Connection", lease: Lease, hands: Hands = _ANYTHING) -> Chunk | None:
    """Lease the due chunk that comes first, if there is one that nobody else holds."""
    with translated("claiming a chunk"):
        async with connection.transaction():
            row = await connection.fetchrow(
                _sql.claim, lease.holder, lease.seconds, hands.kinds, hands.busy, hands.crowded
            )
            if row is None:
                return None
            await connection.execute(_sql.begin, row["job_id"])
    return Chunk(**dict(row))


async def store(connection: "Connection", chunk: Chunk, lease: Lease, page: FetchedPage) -> int:
    """Store in one transaction a page, what must be computed again for it, and the cursor after it.

    What a backfill stores is marked to be computed again when its chunk ends. The day partitions exist.
    Return how many trades were new; raises StoreConflictError, and stores nothing, when the lease is
    another's by now.
    """
    with translated("storing a page"):
        async with connection.transaction():
            fresh = await _add(connection, chunk, page)
            if fresh and chunk.kind != BACKFILL:
                await dirty.mark(connection, covering(chunk.instrument_id, fresh), "history")
            if page.letters:
                await dead_letters.add(connection, page.letters)
            held = await connection.fetchval(
                _sql.advance,
                chunk.chunk_id,
                lease.holder,
                page.cursor,
                len(fresh),
                lease.seconds,
                chunk.to_ts,
                len(page.trades),
            )
            _demand(held, chunk)
    return len(fresh)


async def hold(connection: "Connection", chunk: Chunk, lease: Lease) -> None:
    """Keep a chunk to the end of the transaction; raises StoreConflictError when it is another's by now."""
    with translated("holding a chunk"):
        _demand(await connection.fetchval(_sql.hold, chunk.chunk_id, lease.holder), chunk)


async def settle_alone(connection: "Connection", instrument_id: int) -> None:
    """Be the only one to end pieces of an instrument, until the transaction's end."""
    with translated("ending a chunk"):
        await connection.execute(_sql.alone, _SETTLING, instrument_id)


async def postpone(connection: "Connection", chunk: Chunk, lease: Lease, seconds: float, detail: str) -> None:
    """Give a chunk back as it is told, to be claimed again in some seconds."""
    with translated("postponing a chunk"):
        await connection.execute(
            _sql.postpone,
            chunk.chunk_id,
            lease.holder,
            seconds,
            chunk.cursor,
            chunk.attempts,
            chunk.rounds,
            detail,
        )


async def is_wanted(connection: "Connection", chunk: Chunk, lease: Lease) -> bool:
    """Tell whether a chunk is still ours to work on: its job may be paused, or cancelled."""
    with translated("looking after a chunk"):
        wanted: bool = await connection.fetchval(_sql.wanted, chunk.chunk_id, lease.holder)
    return wanted


async def finish(connection: "Connection", chunk: Chunk, *, failed: str = "") -> None:
    """End a chunk that is held, and its job with the last one, in a transaction.

    ``failed`` says why it cannot be done.
    """
    with translated("finishing a chunk"):
        if chunk.kind == BACKFILL:
            await mark_stored(connection, [chunk.chunk_id])
        await connection.execute(_sql.end, chunk.chunk_id, "failed" if failed else "done", failed)
    await end_job(connection, chunk.job_id)


async def end_job(connection: "Connection", job_id: int) -> None:
    """End a job if none of its pieces waits any more; until then it runs. In a transaction."""
    with translated("ending a job"):
        await connection.execute(_sql.lock_job, job_id)
        await connection.execute(_sql.begin, job_id)
        await connection.execute(_sql.end_job, job_id)


async def mark_stored(connection: "Connection", chunk_ids: Sequence[int]) -> None:
    """Ask for what pieces of a backfill stored to be computed again."""
    with translated("marking what is stored"):
        await connection.execute(_sql.mark_stored, chunk_ids)


async def release(connection: "Connection", holder: str) -> None:
    """Give back whatever a holder has."""
    with translated("releasing chunks"):
        await connection.execute(_sql.release, holder)


async def _add(connection: "Connection", chunk: Chunk, page: FetchedPage) -> list[int]:
    """Return the times of the trades that were new."""
    if page.tolerance:
        await near.keep(connection, chunk.instrument_id)
    trades = list({(trade.ts, trade.trade_id): trade for trade in page.trades}.values())
    rows = await connection.fetch(
        _sql.add_trades,
        chunk.exchange_id,
        chunk.instrument_id,
        page.tolerance,
        [trade.ts for trade in trades],
        [trade.trade_id for trade in trades],
        [trade.price for trade in trades],
        [trade.size for trade in trades],
        [int(trade.side) for trade in trades],
        [trade.received_at for trade in trades],
    )
    return [row["ts"] for row in rows]


def _demand(held: int | None, chunk: Chunk) -> None:
    if held is None:
        message = f"the lease of chunk {chunk.chunk_id} ended: somebody else has it, or it is done"
        raise StoreConflictError(message)
