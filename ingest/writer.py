"""The one who writes: whatever arrived meanwhile goes to PostgreSQL in one transaction, one at a time."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import chain
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from db.commits import was_committed
from db.connections import connected
from db.dead_letters import DeadLetter
from db.instruments import Listed
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter, Written
from db.writers import enlist
from ingest.buffer import Arrival, Buffer
from ingest.findings import merged
from ingest.latest import latest_of
from ingest.metering import CommitMeter
from ingest.notifying import Notifier
from ingest.tallies import Stored, Tallies
from ingest.venues.histories import TOLERANCES
from ingest.venues.venue import DEPTHS, FRAMES, QUOTES, TRADES
from market.batches import Listing
from market.depths import Depth
from market.errors import StoreError
from market.gaps import Gap
from market.publications import Latest
from market.quotes import Quote
from market.texts import Name, gap_change
from market.ticks import Kind
from market.times import DAY
from market.trades import Trade
from runtime.clock import Clock, now
from runtime.metrics import Metrics

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_SESSION: Final = {"lock_timeout": "1s"}
"""Who waits longer for another lets go of its own locks, and tries again."""

_KINDS = {Kind.TRADE: TRADES, Kind.QUOTE: QUOTES, Kind.DEPTH: DEPTHS}


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """How often the writer writes, how much at once, and how long it waits to try again."""

    commit_after_seconds: float
    commit_ticks: int
    retry_delays: Callable[[], Iterator[float]]


class _Session(msgspec.Struct):
    """What lives as long as one connection: a writer's slot, and days whose partitions are known."""

    ticks: TickWriter
    aside: "Connection"
    days: set[int]

    async def ensure_days(self, ticks: Ticks) -> None:
        """Make partitions on the other connection: a writer's transaction must not hold their lock."""
        hot: Iterable[Trade | Quote | Depth] = chain(ticks.trades, ticks.quotes, ticks.depths)
        needed = {tick.ts // DAY for tick in hot}
        if not needed <= self.days:
            await ensure_days(self.aside, [day_of(day * DAY) for day in needed - self.days])
            self.days |= needed


class Writer:
    """Takes what arrived and commits it. The same ticks are tried until they are committed.

    Ticks count as stored, workers are woken, and newest values are sent only after the commit.
    """

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        url: str,
        buffer: Buffer,
        places: Mapping[int, Listed],
        *,
        tallies: Tallies,
        notifier: Notifier,
        rhythm: Rhythm,
        code_version: str,
        clock: Clock = now,
        metrics: Metrics | None = None,
    ) -> None:
        self._url = url
        self._buffer = buffer
        self._places = places
        self._tallies = tallies
        self._notifier = notifier
        self._rhythm = rhythm
        self._code_version = code_version
        self._clock = clock
        self._in_hand: list[Arrival] = []
        self._unsettled: Written | None = None
        self._meter = CommitMeter(metrics or Metrics("ingest"), clock)
        self.commits = 0
        self.retries = 0

    async def run(self) -> None:
        """Write until the buffer is closed and empty, through every loss of PostgreSQL."""
        delays = self._rhythm.retry_delays()
        while True:
            commits = self.commits
            try:
                await self._write_all()
            except StoreError as error:
                self.retries += 1
                logger.warning(
                    "writer.retrying", error=str(error), ticks=sum(arrival.size for arrival in self._in_hand)
                )
            else:
                return
            if self.commits > commits:
                delays = self._rhythm.retry_delays()
            await asyncio.sleep(next(delays))

    async def _write_all(self) -> None:
        async with self._session() as session:
            await self._settle_unsettled(session)
            while self._in_hand or await self._take():
                await self._write(session)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[_Session]:
        async with (
            connected(self._url, "heliograph ingest writer", _SESSION) as connection,
            connected(self._url, "heliograph ingest partitions") as aside,
        ):
            yield _Session(TickWriter(connection, await enlist(connection), TOLERANCES), aside, set())

    async def _take(self) -> bool:
        self._in_hand = await self._buffer.take(self._rhythm.commit_ticks)
        return bool(self._in_hand)

    async def _write(self, session: _Session) -> None:
        """Commit what is in hand; the next commit begins no sooner than the rhythm says."""
        clock = asyncio.get_running_loop().time
        next_at = clock() + self._rhythm.commit_after_seconds
        try:
            ticks = self._merged()
            await session.ensure_days(ticks)
            with self._meter.committing(ticks):
                written = await session.ticks.write(ticks, self._places)
            self._settle(written, ticks)
        except StoreError:
            self._unsettled = session.ticks.unsettled
            raise
        await asyncio.sleep(next_at - clock())

    async def _settle_unsettled(self, session: _Session) -> None:
        """Find out whether the transaction whose COMMIT was not answered has happened."""
        written = self._unsettled
        if written and written.commit and await was_committed(session.aside, written.commit):
            self._settle(written, self._merged())
        self._unsettled = None

    def _settle(self, written: Written, ticks: Ticks) -> None:
        self.commits += 1
        self._tallies.settle(self._in_hand, self._stored(written.listing))
        self._in_hand = []
        if written.listing or written.gaps:
            shards = {self._places[instrument_id].shard for instrument_id in written.listing}
            offered: Iterable[Trade | Quote | Depth] = chain(ticks.trades, ticks.quotes, ticks.depths)
            newest = latest_of(offered, written.listing, self._places)
            self._notifier.tell(shards, [*newest, *map(self._change, written.gaps)])

    def _change(self, gap: Gap) -> Latest:
        instrument = self._places[gap.instrument_id].instrument
        return gap_change(Name(instrument.exchange, instrument.symbol), gap, self._clock())

    def _stored(self, listing: Listing) -> Stored:
        stored: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for instrument_id, spans in listing.items():
            counts = stored[self._places[instrument_id].instrument.exchange]
            for span in spans:
                if span.kind in _KINDS:
                    counts[_KINDS[Kind(span.kind)]] += span.count
        return stored

    def _merged(self) -> Ticks:
        every = [arrival.decoded for arrival in self._in_hand]
        found = merged(arrival.findings for arrival in self._in_hand)
        return Ticks(
            trades=[trade for decoded in every for trade in decoded.trades],
            quotes=[quote for decoded in every for quote in decoded.quotes],
            depths=[depth for decoded in every for depth in decoded.depths],
            watermarks=[mark for decoded in every for mark in decoded.watermarks],
            letters=list(self._letters()),
            proofs=found.proofs,
            gaps=found.gaps,
        )

    def _letters(self) -> Iterator[DeadLetter]:
        for arrival in self._in_hand:
            for rejection in arrival.decoded.rejections:
                if rejection.payload:
                    yield DeadLetter(
                        source="frame" if rejection.kind == FRAMES else "tick",
                        exchange=arrival.exchange,
                        reason=rejection.reason,
                        payload=rejection.payload,
                        code_version=self._code_version,
                    )
