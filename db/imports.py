"""Files that are imported: each a job of one chunk, whose cursor is committed with its rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from db import chunks, near, proofs
from db.chunks import Chunk, FetchedPage, Lease
from db.errors import translated
from db.instruments import Listed
from db.queries import load
from market.coverage import Proof
from market.errors import StoreConflictError
from market.trades import Trade

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("imports")

_LOCK_CLASS: Final = 0x48464C45
"""'HFLE'."""

Content = tuple[int, float, float]
"""What is known of a trade without an id: from when it is, price, size."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """An import, begun or gone on with: rows up to and with ``line`` are in, ``stored`` of them were new."""

    chunk: Chunk
    line: int
    stored: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Trades of a file up to and with ``line``, and what of the tape they prove."""

    trades: Sequence[Trade]
    line: int
    proven: Sequence[Proof]
    tolerance: int


async def begin(  # noqa: PLR0913 - what tells an import from others
    connection: "Connection", listed: Listed, lease: Lease, *, mark: str, name: str, from_ts: int
) -> Begun:
    """Begin the import of the file that ``mark`` tells from others, or go on with it.

    The connection keeps others from it while it lives; raises StoreConflictError when one of them has it.
    """
    with translated("beginning an import"):
        if not await connection.fetchval(_sql.lock, _LOCK_CLASS, f"{mark} {listed.instrument_id}"):
            message = f"{name} is being imported already: wait for that, or end it"
            raise StoreConflictError(message)
        held = lease.holder, lease.seconds
        row = await connection.fetchrow(_sql.resume, listed.instrument_id, f"{mark}:", *held)
        if row:
            line = int(row["cursor"].rpartition(":")[2])
            ids = row["chunk_id"], row["job_id"]
            chunk = _chunk(listed, ids, mark, row["from_ts"], row["to_ts"])
            return Begun(chunk=chunk, line=line, stored=row["stored"])
        cursor = f"{mark}:0"
        [(chunk_id, job_id)] = await connection.fetch(
            _sql.begin, name, listed.instrument_id, from_ts, cursor, *held
        )
    return Begun(chunk=_chunk(listed, (chunk_id, job_id), mark, from_ts, from_ts), line=0, stored=0)


async def store(connection: "Connection", chunk: Chunk, lease: Lease, page: Page) -> int:
    """Store a page in one transaction, with what it proves and the cursor after it; return the new trades.

    The day partitions exist. Raises StoreConflictError, and stores nothing, when the lease is another's.
    """
    from_ts = min((trade.ts for trade in page.trades), default=chunk.from_ts)
    fetched = FetchedPage(
        trades=page.trades, letters=(), cursor=f"{chunk.cursor}:{page.line}", tolerance=page.tolerance
    )
    with translated("storing a page"):
        async with connection.transaction():
            fresh = await chunks.store(connection, chunk, lease, fetched)
            if from_ts < chunk.from_ts:
                await connection.execute(_sql.reach, chunk.chunk_id, from_ts)
            if page.proven:
                await proofs.extend(connection, page.proven, proofs.HISTORY)
    return fresh


async def equals(
    connection: "Connection", listed: Listed, trades: Sequence[Trade], coarseness: int
) -> Mapping[Content, int]:
    """Return how many trades stand already that are the same as these but for ids and finer times.

    In a transaction, which nobody else writes trades of the instrument beside.
    """
    contents = sorted({(trade.ts, trade.price, trade.size) for trade in trades})
    if not contents:
        return {}
    with translated("looking for equal trades"):
        await near.keep(connection, listed.instrument_id)
        rows = await connection.fetch(
            _sql.equals,
            listed.exchange_id,
            listed.instrument_id,
            [ts for ts, _, _ in contents],
            [price for _, price, _ in contents],
            [size for _, _, size in contents],
            coarseness,
            contents[0][0],
            contents[-1][0] + coarseness,
        )
    return {(row["ts"], row["price"], row["size"]): row["stored"] for row in rows}


async def is_awaited(connection: "Connection", listed: Listed, from_ts: int, to_ts: int) -> bool:
    """Tell whether the venue is still asked about [from_ts, to_ts): for a gap, a backfill, or a new feed."""
    with translated("looking for what is to be fetched"):
        awaited: bool = await connection.fetchval(_sql.awaited, listed.instrument_id, from_ts, to_ts)
    return awaited


async def fail(connection: "Connection", chunk: Chunk, detail: str) -> None:
    """End an import that cannot go on; what it stored stays."""
    with translated("ending an import"):
        await connection.execute(_sql.fail, chunk.chunk_id, detail)


def _chunk(listed: Listed, ids: tuple[int, int], mark: str, from_ts: int, to_ts: int) -> Chunk:
    """Return the chunk; its cursor is the file's mark alone."""
    instrument = listed.instrument
    return Chunk(
        chunk_id=ids[0],
        job_id=ids[1],
        kind="import",
        gap_id=None,
        instrument_id=listed.instrument_id,
        exchange_id=listed.exchange_id,
        exchange=instrument.exchange,
        symbol=instrument.symbol,
        protocol=None,
        rest_url=None,
        from_ts=from_ts,
        to_ts=to_ts,
        cursor=mark,
        attempts=0,
        rounds=0,
    )
