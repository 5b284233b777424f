"""One chunk, from its claim to its end: the table first, then pages, then what is proven by them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from db import chunks, gaps, proofs
from db.chunks import Chunk, Lease
from db.errors import translated
from db.holes import Edges, Hole, first, holes
from ingest.history.fetching import Desk, Fetching
from ingest.history.outcomes import HOLES_AT_MOST, Outcome, outcome
from ingest.history.pasts import ASKED, ASKED_LATE, Past, begun
from ingest.history.roads import Road, road, stretch
from ingest.venues.history import Page
from market.coverage import Proof
from market.gaps import TRADES, Gap, GapState
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_UNSETTLED: Final = (GapState.OPEN, GapState.HEALING)
_AHEAD: Final = 2 * SECOND
"""How far ahead of our clock a venue's may be."""

_AWAITED: Final = "the first trade after it is awaited: it shows whether the last before it are there"
_NO_ROAD: Final = "this protocol's trades have no ids: the venue's history cannot be told from what is stored"


class Healing:
    """Works on one chunk at a time, on one connection."""

    def __init__(self, connection: "Connection", desk: Desk, lease: Lease) -> None:
        self._connection = connection
        self._desk = desk
        self._lease = lease
        self._fetching = Fetching(connection, desk, lease)

    async def heal(self, chunk: Chunk) -> None:
        """Bring a claimed chunk to its end, or give it back as far as it came; raises StoreError."""
        await self._fetching.attempt(chunk, self._heal)

    async def _heal(self, chunk: Chunk) -> None:
        bounds = await self._bounds(chunk)
        way = road(chunk, self._desk.settings.binance_api_key.get_secret_value())
        if isinstance(bounds, Gap) and bounds.state not in _UNSETTLED:
            await self._finish(chunk)
        elif way is None:
            await self._settle(chunk, bounds, Outcome(GapState.UNRECOVERABLE, _NO_ROAD))
        elif isinstance(bounds, Past) and bounds.waits(chunk, self._desk.clock()):
            await self._wait(chunk, bounds, chunk.cursor)
        elif way.history.contiguous and await self._is_whole(chunk, bounds):
            await self._settle(chunk, bounds, outcome(bounds, (), contiguous=True))
        else:
            await self._fetch(begun(chunk, bounds.to_ts), bounds, way)

    async def _fetch(self, chunk: Chunk, bounds: Gap | Past, way: Road) -> None:
        await self._show_healing(chunk, bounds)
        wanted, began = stretch(chunk, bounds), self._desk.clock()
        page = Page((), (), chunk.cursor, complete=False)
        while not page.complete:
            await self._fetching.yield_to_live()
            page = await self._fetching.page(chunk, way, wanted, page.position)
            chunk = self._fetching.at
        found = await self._holes(chunk, bounds) if way.history.contiguous else ()
        if found and chunk.rounds + 1 < self._desk.settings.rounds:
            again = msgspec.structs.replace(chunk, cursor="", rounds=chunk.rounds + 1)
            detail = f"the venue's answer lacks trades in {len(found)} places; asked again"
            await self._fetching.postpone(again, self._fetching.pause(chunk.rounds), detail)
        elif isinstance(bounds, Past) and bounds.next_trade is None:
            await self._leave_open(chunk, bounds, began, found)
        else:
            await self._settle(chunk, bounds, outcome(bounds, found, contiguous=way.history.contiguous))

    async def _leave_open(self, chunk: Chunk, past: Past, asked_at: int, found: Sequence[Hole]) -> None:
        """Keep a past until the first trade after it shows whether its last are there.

        An answer that comes late enough proves it before, for a pair may be quiet for days.
        """
        if past.is_late(asked_at) and not found:
            await self._prove(chunk, past)
        await self._wait(chunk, past, ASKED_LATE if past.is_late(asked_at) else ASKED)

    async def _settle(self, chunk: Chunk, bounds: Gap | Past, end: Outcome) -> None:
        """End a chunk and its gap; where live found more about the gap meanwhile, begin again."""
        told: list[Gap] = []
        with translated("settling a chunk"):
            async with self._connection.transaction():
                await chunks.hold(self._connection, chunk, self._lease)
                if isinstance(bounds, Gap):
                    settled = await gaps.settle(self._connection, bounds, end.state, end.detail)
                    if settled is None:
                        again = msgspec.structs.replace(chunk, cursor="")
                        await chunks.postpone(self._connection, again, self._lease, 0.0, "the gap changed")
                        return
                    told.append(settled)
                told += await gaps.record(self._connection, end.lacking)
                if end.state == GapState.CLOSED:
                    await self._prove(chunk, bounds)
                await chunks.finish(self._connection, chunk)
        self._desk.tally.ended(end.state)
        logger.info("chunk.ended", chunk=chunk.chunk_id, gap=chunk.gap_id, state=end.state, detail=end.detail)
        self._fetching.tell(chunk, told)

    async def _prove(self, chunk: Chunk, bounds: Gap | Past) -> None:
        """Prove what lies between the bounds, and not ahead of now.

        A past is proven only from the first trade that is stored of it, and up to the one after it: the
        session that follows may have been sure of its time only later.
        """
        from_ts, to_ts = bounds.from_ts, bounds.to_ts
        if isinstance(bounds, Past):
            to_ts = bounds.end_ts
            began = await first(self._connection, chunk.exchange_id, chunk.instrument_id, from_ts)
            from_ts = began.ts if began and began.ts < bounds.to_ts else from_ts
        to_ts = min(to_ts, self._desk.clock() + _AHEAD)
        if from_ts < to_ts:
            proof = Proof(chunk.instrument_id, TRADES, from_ts, to_ts)
            await proofs.extend(self._connection, [proof], proofs.HISTORY)

    async def _finish(self, chunk: Chunk) -> None:
        with translated("finishing a chunk"):
            async with self._connection.transaction():
                await chunks.hold(self._connection, chunk, self._lease)
                await chunks.finish(self._connection, chunk)

    async def _wait(self, chunk: Chunk, past: Past, cursor: str) -> None:
        waiting = msgspec.structs.replace(chunk, cursor=cursor)
        seconds = past.look_after_seconds(self._desk.clock())
        await chunks.postpone(self._connection, waiting, self._lease, seconds, _AWAITED)

    async def _bounds(self, chunk: Chunk) -> Gap | Past:
        """Return the gap that a chunk heals, or the past that it is."""
        healed = [] if chunk.gap_id is None else await gaps.by_id(self._connection, [chunk.gap_id])
        if healed:
            return healed[0]
        following = await first(self._connection, chunk.exchange_id, chunk.instrument_id, chunk.to_ts)
        return Past(
            instrument_id=chunk.instrument_id,
            from_ts=chunk.from_ts,
            to_ts=chunk.to_ts,
            next_trade=following,
        )

    async def _show_healing(self, chunk: Chunk, bounds: Gap | Past) -> None:
        if isinstance(bounds, Gap) and bounds.state == GapState.OPEN:
            await gaps.begin_healing(self._connection, bounds.gap_id)
            self._fetching.tell(chunk, await gaps.by_id(self._connection, [bounds.gap_id]))

    async def _is_whole(self, chunk: Chunk, bounds: Gap | Past) -> bool:
        """Tell whether everything up to the trades on the bounds is known to be stored already."""
        if bounds.before_id is None:
            return False
        known = bounds.after_id is not None or chunk.cursor in (ASKED, ASKED_LATE)
        return known and not await self._holes(chunk, bounds)

    async def _holes(self, chunk: Chunk, bounds: Gap | Past) -> list[Hole]:
        edges = Edges(
            exchange_id=chunk.exchange_id,
            instrument_id=chunk.instrument_id,
            from_ts=bounds.from_ts,
            to_ts=bounds.end_ts if isinstance(bounds, Past) else bounds.to_ts,
            after_id=bounds.after_id,
            before_id=bounds.before_id,
        )
        return await holes(self._connection, edges, HOLES_AT_MOST + 1)
