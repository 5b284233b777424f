"""One piece of a backfill: looked for by its time, fetched page by page, and proven as far as it came."""

from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from db import chunks, gaps, proofs
from db.chunks import Chunk, Lease
from db.errors import translated
from db.holes import Edges, Hole, first, holes, last
from db.proofs import read_coverage, read_stored
from ingest.history.ends import ending, touches, unknown
from ingest.history.fetching import Desk, Fetching
from ingest.history.outcomes import HOLES_AT_MOST
from ingest.history.pasts import Past
from ingest.history.roads import Road, road, stretch
from ingest.history.seeking import UNBOUNDED, Seek, Spot
from ingest.history.surveying import Survey
from ingest.venues.history import Order, Page, Stretch
from market.coverage import Coverage, Proof
from market.gaps import TRADES, Gap

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

NO_ROAD: Final = "this protocol's trades have no ids: the venue's history cannot be told from what is stored"

_SEEKING: Final = "seeking "
"""Before the cursor of a piece whose beginning is still looked for."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Seek).decode


class Backfilling:
    """Works on one piece at a time, on one connection."""

    def __init__(self, connection: "Connection", desk: Desk, lease: Lease) -> None:
        self._connection = connection
        self._desk = desk
        self._lease = lease
        self._fetching = Fetching(connection, desk, lease)

    async def backfill(self, chunk: Chunk) -> None:
        """Bring a claimed piece to its end, or give it back as far as it came; raises StoreError."""
        await self._fetching.attempt(chunk, self._backfill)

    async def _backfill(self, chunk: Chunk) -> None:
        way = road(chunk, self._desk.settings.binance_api_key.get_secret_value())
        if way is None:
            await self._fetching.fail(chunk, NO_ROAD)
            return
        is_found = chunk.cursor and not chunk.cursor.startswith(_SEEKING)
        cursor = chunk.cursor if is_found else await self._beginning(chunk, way)
        fetched = await self._fetch(msgspec.structs.replace(chunk, cursor=cursor), way)
        if fetched is not None:
            await self._settle(fetched, way)

    async def _fetch(self, chunk: Chunk, way: Road) -> Chunk | None:
        """Return the piece at its end; None when it is laid down, as its job is paused or cancelled."""
        wanted, page = stretch(chunk, None), Page((), (), chunk.cursor, complete=False)
        while not page.complete:
            await self._fetching.yield_to_live()
            if not await chunks.is_wanted(self._connection, chunk, self._lease):
                await chunks.postpone(self._connection, chunk, self._lease, 0.0, "")
                return None
            page = await self._fetching.page(chunk, way, wanted, page.position)
            chunk = self._fetching.at
        return chunk

    async def _beginning(self, chunk: Chunk, way: Road) -> str:
        """Return where pages begin: as far up, or down, as one may go without leaving a trade out.

        A venue may give no answer at any step: what is known by then is the cursor, to go on from.
        """
        if way.history.order is Order.BY_TIME:
            return ""
        upwards = way.history.order is Order.UPWARDS
        seek = _laid_down(chunk) or await self._known(chunk, chunk.from_ts if upwards else chunk.to_ts, way)
        async for narrower in self._survey(chunk, way).narrowed(seek):
            seek = narrower
            self._fetching.reached(chunk, _SEEKING + _encode(seek).decode())
        logger.info(
            "chunk.found", chunk=chunk.chunk_id, bottom=seek.bottom, top=seek.top, requests=seek.asked
        )
        return way.history.position(seek.bottom + 1 if upwards else seek.top - 1)

    async def _known(self, chunk: Chunk, ts: int, way: Road) -> Seek:
        """Return how to look for a time, beginning with the trades around it that are stored."""
        below = await last(self._connection, chunk.exchange_id, chunk.instrument_id, ts)
        above = await first(self._connection, chunk.exchange_id, chunk.instrument_id, ts)
        return Seek(
            ts=ts,
            page=way.history.limit,
            upwards=way.history.order is Order.UPWARDS,
            bottom=below.trade_id if below else -1,
            top=above.trade_id if above else UNBOUNDED,
            low=Spot(below.trade_id, below.ts) if below else None,
            high=Spot(above.trade_id, above.ts) if above else None,
        )

    def _survey(self, chunk: Chunk, way: Road) -> Survey:
        async def look(wanted: Stretch, position: str) -> Page:
            return await self._fetching.look(way, wanted, position)

        return Survey(look, way.history, stretch(chunk, None))

    async def _settle(self, chunk: Chunk, way: Road) -> None:
        """End a piece that came whole; where ids are missing, ask for it again, a few times."""
        began = await self._begins_with(chunk, way)
        told: list[Gap] = []
        with translated("settling a chunk"):
            async with self._connection.transaction():
                await chunks.hold(self._connection, chunk, self._lease)
                await chunks.settle_alone(self._connection, chunk.instrument_id)
                found = await self._holes(chunk) if way.history.contiguous else []
                if found and chunk.rounds + 1 < self._desk.settings.rounds:
                    await self._again(chunk, found)
                    return
                told = await self._record(chunk, found, began)
                await chunks.finish(self._connection, chunk)
        self._desk.tally.pieces += 1
        logger.info("chunk.ended", chunk=chunk.chunk_id, job=chunk.job_id, lacking=len(found))
        self._fetching.tell(chunk, told)

    async def _again(self, chunk: Chunk, found: list[Hole]) -> None:
        again = msgspec.structs.replace(chunk, cursor="", rounds=chunk.rounds + 1)
        detail = f"the venue's answer lacks trades in {len(found)} places; asked again"
        await self._fetching.postpone(again, self._fetching.pause(chunk.rounds), detail)

    async def _record(self, chunk: Chunk, found: list[Hole], began: int | None) -> list[Gap]:
        """Prove what came, with gaps of their own for what is lacking; close those that were filled."""
        past = Past(
            instrument_id=chunk.instrument_id, from_ts=chunk.from_ts, to_ts=chunk.to_ts, next_trade=None
        )
        end = ending(past, found, began)
        standing = await gaps.standing(self._connection, chunk.instrument_id, chunk.from_ts, chunk.to_ts)
        told = await gaps.record(self._connection, unknown(end.lacking, standing))
        if end.proven:
            proof = Proof(chunk.instrument_id, TRADES, chunk.from_ts, chunk.to_ts)
            await proofs.extend(self._connection, [proof], proofs.HISTORY)
        brought = [
            gap.gap_id
            for gap in standing
            if not touches(gap, end.lacking) and await self._is_filled(chunk, gap)
        ]
        return told + (await gaps.brought(self._connection, brought) if brought else [])

    async def _is_filled(self, chunk: Chunk, gap: Gap) -> bool:
        """Tell whether nothing is missing in a gap any more: by its ids, or as this piece has it all."""
        found = await read_coverage(self._connection, [chunk.instrument_id], TRADES, gap.from_ts, gap.to_ts)
        proven = Coverage(found[chunk.instrument_id].proven)
        if proven.share(gap.from_ts, gap.to_ts) < 1.0:
            return False
        if gap.after_id is None or gap.before_id is None:
            return chunk.from_ts <= gap.from_ts and gap.to_ts <= chunk.to_ts
        edges = Edges(
            exchange_id=chunk.exchange_id,
            instrument_id=chunk.instrument_id,
            from_ts=gap.from_ts,
            to_ts=gap.to_ts,
            after_id=gap.after_id,
            before_id=gap.before_id,
        )
        return not await holes(self._connection, edges, 1)

    async def _begins_with(self, chunk: Chunk, way: Road) -> int | None:
        """Return the time of the piece's first trade where the venue has none before it any more."""
        if way.history.order is Order.BY_TIME:
            return None
        began = await first(self._connection, chunk.exchange_id, chunk.instrument_id, chunk.from_ts)
        if began is None or began.ts >= chunk.to_ts or began.trade_id <= 1:
            return None
        if await last(self._connection, chunk.exchange_id, chunk.instrument_id, chunk.from_ts):
            return None
        earlier = await self._survey(chunk, way).before(began.trade_id)
        return None if any(trade.ts < chunk.from_ts for trade in earlier) else began.ts

    async def _holes(self, chunk: Chunk) -> list[Hole]:
        """Return where ids are missing, up to the trades around the piece where all between is proven."""
        before = await last(self._connection, chunk.exchange_id, chunk.instrument_id, chunk.from_ts)
        after = await first(self._connection, chunk.exchange_id, chunk.instrument_id, chunk.to_ts)
        if before and not await self._is_proven(chunk, before.ts, chunk.from_ts):
            before = None
        if after and not await self._is_proven(chunk, chunk.to_ts, after.ts + 1):
            after = None
        edges = Edges(
            exchange_id=chunk.exchange_id,
            instrument_id=chunk.instrument_id,
            from_ts=before.ts if before else chunk.from_ts,
            to_ts=after.ts if after else chunk.to_ts,
            after_id=before.trade_id if before else None,
            before_id=after.trade_id if after else None,
        )
        return await holes(self._connection, edges, HOLES_AT_MOST + 1)

    async def _is_proven(self, chunk: Chunk, from_ts: int, to_ts: int) -> bool:
        found = await read_stored(self._connection, [chunk.instrument_id], TRADES, from_ts, to_ts)
        return found[chunk.instrument_id].share(from_ts, to_ts) == 1.0


def _laid_down(chunk: Chunk) -> Seek | None:
    """Return the search that was under way when a piece was given back."""
    return _decode(chunk.cursor.removeprefix(_SEEKING)) if chunk.cursor else None
