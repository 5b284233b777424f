"""Pages of a chunk: asked for, stored with the cursor after them, and tried again when a venue fails."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import structlog

from db import chunks
from db.chunks import BACKFILL, Chunk, FetchedPage, Lease
from db.dead_letters import DeadLetter
from db.errors import translated
from db.partitions import day_of, ensure_days
from ingest.history.roads import Road
from ingest.history.tallies import HistoryTally
from ingest.outbound.outbound import Outbound
from ingest.settings import HistorySettings
from ingest.venues.history import Page, Stretch
from ingest.yielding import yield_to_live
from market.errors import (
    DecodeError,
    InvalidInputError,
    RateLimitedError,
    StoreConflictError,
    StoreError,
    VenueRefusedError,
    VenueUnavailableError,
)
from market.gaps import Gap
from market.texts import Name, gap_change
from runtime.clock import Clock

if TYPE_CHECKING:
    from db.connections import Connection
    from market.publications import Latest

logger = structlog.get_logger(__name__)

_SHARE_OF_LEASE: Final = 0.75
"""Of a lease, what asking for one page may take."""

_FIRST_RETRY_SECONDS: Final = 1.0
_REFUSED_SECONDS: Final = 600.0
_REFUSALS: Final = 3
"""After which a piece that an operator asked for has failed."""

_DOUBLINGS: Final = 16


class Desk(NamedTuple):
    """What every chunk is worked on with; ``tell`` says what became of gaps, and ``tally`` counts."""

    outbound: Outbound
    settings: HistorySettings
    tally: HistoryTally
    tell: "Callable[[Sequence[Latest]], None]"
    clock: Clock
    code_version: str


class Fetching:
    """Fetches pages for one chunk at a time; ``at`` is the chunk as far as it came."""

    at: Chunk

    def __init__(self, connection: "Connection", desk: Desk, lease: Lease) -> None:
        self._connection = connection
        self._desk = desk
        self._lease = lease
        self._days: set[int] = set()

    async def attempt(self, chunk: Chunk, work: Callable[[Chunk], Awaitable[None]]) -> None:
        """Work on a claimed chunk; give it back as far as it came when the venue fails. Raises StoreError."""
        self.at = chunk
        try:
            await work(chunk)
        except RateLimitedError as error:
            await self.postpone(self.at, error.retry_after_seconds, str(error))
        except (VenueRefusedError, InvalidInputError) as error:
            await self._refused(_tried(self.at), str(error))
        except (VenueUnavailableError, DecodeError) as error:
            tried = _tried(self.at)
            await self.postpone(tried, self.pause(tried.attempts - 1), str(error))
        except StoreError as error:
            if error.retryable or isinstance(error, StoreConflictError):
                raise
            await self._refused(_tried(self.at), str(error))

    async def look(self, way: Road, wanted: Stretch, position: str) -> Page:
        """Ask for a page."""
        body = await self._get(way, wanted, position)
        return way.history.page(wanted, position, body, self._desk.clock())

    async def page(self, chunk: Chunk, way: Road, wanted: Stretch, position: str) -> Page:
        """Ask for a page and store it, with everything that follows from it."""
        page = await self.look(way, wanted, position)
        await self._ensure_days({trade.ts for trade in page.trades})
        fetched = FetchedPage(
            trades=page.trades,
            letters=[self._letter(chunk, each.reason, each.payload) for each in page.rejections],
            cursor=page.position,
            tolerance=way.history.tolerance,
        )
        fresh = await chunks.store(self._connection, chunk, self._lease, fetched)
        self.reached(chunk, page.position)
        self._desk.tally.page(len(page.trades), fresh, len(page.rejections))
        logger.info("chunk.page", chunk=chunk.chunk_id, position=position, trades=len(page.trades), new=fresh)
        return page

    def reached(self, chunk: Chunk, cursor: str) -> None:
        """Note that the venue answered: from here on it is asked when it answers again."""
        self.at = msgspec.structs.replace(chunk, cursor=cursor, attempts=0)

    async def postpone(self, chunk: Chunk, seconds: float, detail: str) -> None:
        """Give a chunk back until later, and say why."""
        self._desk.tally.postponed += 1
        logger.warning("chunk.postponed", chunk=chunk.chunk_id, seconds=round(seconds, 1), detail=detail)
        await chunks.postpone(self._connection, chunk, self._lease, seconds, detail)

    async def yield_to_live(self) -> None:
        """Wait a little while the live path is behind."""
        budget = self._desk.settings.yield_above_seconds
        self._desk.tally.yielded_seconds += await yield_to_live(self._connection, budget)

    def pause(self, tried: int) -> float:
        """Return for how many seconds to leave a venue alone that has failed so often."""
        ceiling = _FIRST_RETRY_SECONDS * (1 << min(tried, _DOUBLINGS))
        return min(ceiling, self._desk.settings.retry_cap_seconds)

    def tell(self, chunk: Chunk, told: Sequence[Gap]) -> None:
        """Say what became of gaps."""
        name, now = Name(chunk.exchange, chunk.symbol), self._desk.clock()
        self._desk.tell([gap_change(name, gap, now) for gap in told])

    async def fail(self, chunk: Chunk, detail: str) -> None:
        """End a chunk that cannot be done."""
        logger.error("chunk.failed", chunk=chunk.chunk_id, detail=detail)
        with translated("ending a chunk"):
            async with self._connection.transaction():
                await chunks.hold(self._connection, chunk, self._lease)
                await chunks.finish(self._connection, chunk, failed=detail)

    async def _refused(self, tried: Chunk, detail: str) -> None:
        if tried.kind != BACKFILL:
            await self.postpone(tried, _REFUSED_SECONDS, detail)
        elif tried.attempts < _REFUSALS:
            await self.postpone(tried, self.pause(tried.attempts), detail)
        else:
            await self.fail(tried, detail)

    async def _get(self, way: Road, wanted: Stretch, position: str) -> bytes:
        """Return an answer that comes while the lease holds."""
        try:
            async with asyncio.timeout(self._lease.seconds * _SHARE_OF_LEASE):
                return await self._desk.outbound.get(way.call(wanted, position))
        except TimeoutError as error:
            message = f"no page within {self._lease.seconds * _SHARE_OF_LEASE:.0f} s"
            raise VenueUnavailableError(message) from error

    async def _ensure_days(self, times: set[int]) -> None:
        days = {day_of(ts) for ts in times}
        if fresh := [day for day in days if day.toordinal() not in self._days]:
            await ensure_days(self._connection, fresh)
            self._days.update(day.toordinal() for day in fresh)

    def _letter(self, chunk: Chunk, reason: str, payload: bytes) -> DeadLetter:
        return DeadLetter(
            source="tick",
            exchange=chunk.exchange,
            reason=reason,
            payload=payload,
            code_version=self._desk.code_version,
            instrument_id=chunk.instrument_id,
        )


def _tried(chunk: Chunk) -> Chunk:
    return msgspec.structs.replace(chunk, attempts=chunk.attempts + 1)
