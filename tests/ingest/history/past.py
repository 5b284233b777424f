"""A venue that remembers, one instrument, and a database in which some of its trades are missing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from db import feeds, gaps
from db.connections import connected
from db.feeds import WantedFeed
from db.instruments import Listed, register
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from ingest.venues.registry import venue
from market.gaps import Cause, Finding, Gap, GapState
from market.times import SECOND
from market.trades import Side, Trade
from tests.ingest.servers import Server, serving

if TYPE_CHECKING:
    from db.connections import Connection

BEGAN = 1_700_000_000 * SECOND
SPACING = SECOND // 10


def tape(instrument_id: int, trades: int) -> list[Trade]:
    """Trades numbered from 1, ten a second, every third at the time of the one before it."""
    made = []
    for number in range(1, trades + 1):
        ts = BEGAN + (number - (number % 3 == 0)) * SPACING
        side = Side.BUY if number % 2 else Side.SELL
        made.append(Trade(instrument_id, ts, number, 100 + number / 4, number / 8, side, ts))
    return made


@dataclass
class Past:
    """What Binance's REST knows: ``lacking`` ids it has lost; ``moods`` come first, None is a good one."""

    trades: Sequence[Trade]
    page: int = 1000
    lacking: set[int] = field(default_factory=set)
    moods: list[Response | None] = field(default_factory=list)
    waiting: int = 0
    _allowed: float = inf
    _opened: asyncio.Event = field(default_factory=asyncio.Event)

    def allow(self, answers: float = inf) -> None:
        """Give what waits its answer, and so many more; others wait."""
        opened, self._opened = self._opened, asyncio.Event()
        self._allowed, self.waiting = answers, 0
        opened.set()

    async def answer(self, request: Request) -> Response:
        if self.moods and (mood := self.moods.pop(0)):
            return mood
        self._allowed -= 1
        if self._allowed < 0:
            self.waiting += 1
            await self._opened.wait()
        query = parse_qs(request.url.query)
        limit = min(int(query["limit"][0]), self.page)
        known = [each for each in self.trades if each.trade_id not in self.lacking]
        if "fromId" not in query:
            return Response(json.dumps([_row(trade) for trade in known[-limit:]]))
        found = [each for each in known if each.trade_id >= int(query["fromId"][0])]
        return Response(json.dumps([_row(trade) for trade in found[:limit]]))


def _row(trade: Trade) -> dict[str, object]:
    return {
        "id": trade.trade_id,
        "price": str(trade.price),
        "qty": str(trade.size),
        "time": trade.ts // 1000,
        "isBuyerMaker": trade.side == Side.SELL,
    }


@dataclass(frozen=True)
class Place:
    """The database, the instrument in it, and the venue."""

    url: str
    connection: "Connection"
    listed: Listed
    past: Past
    server: Server

    @property
    def trades(self) -> Sequence[Trade]:
        return self.past.trades

    async def store(self, *numbers: int) -> None:
        """Store trades as live does."""
        async with connected(self.url, "test writer") as connection:
            writer = TickWriter(connection, await enlist(connection))
            wanted = [trade for trade in self.trades if trade.trade_id in numbers]
            await writer.write(Ticks(trades=wanted), {self.listed.instrument_id: self.listed})

    async def open(self, after_id: int, before_id: int | None, **changes: Any) -> Gap:
        """Open a gap after one trade and before another."""
        by_id = {trade.trade_id: trade for trade in self.trades}
        end = by_id[before_id].ts if before_id else self.trades[-1].ts + SECOND
        fields: dict[str, Any] = {"from_ts": by_id[after_id].ts, "to_ts": end, **changes}
        finding = Finding(
            instrument_id=self.listed.instrument_id,
            kind="trades",
            cause=Cause.SEQUENCE,
            state=GapState.OPEN,
            after_id=after_id,
            before_id=before_id,
            **fields,
        )
        async with self.connection.transaction():
            [gap] = await gaps.record(self.connection, [finding])
        await self.connection.execute("UPDATE chunks SET due_at = clock_timestamp()")
        return gap

    async def open_unbounded(self, to_ts: int) -> Finding:
        """Open a gap from before the tape on, on whose edges no trade is known."""
        found = Finding(
            instrument_id=self.listed.instrument_id,
            kind="trades",
            cause=Cause.DOWNTIME,
            state=GapState.OPEN,
            from_ts=BEGAN,
            to_ts=to_ts,
        )
        await self.record(found)
        await self.hurry()
        return found

    async def record(self, found: Finding) -> None:
        """Record what live found."""
        async with self.connection.transaction():
            await gaps.record(self.connection, [found])

    async def gaps(self) -> list[tuple[str, int | None, int | None]]:
        rows = await self.connection.fetch("SELECT state, after_id, before_id FROM gaps ORDER BY gap_id")
        return [tuple(row) for row in rows]

    async def stored(self) -> list[int]:
        rows = await self.connection.fetch("SELECT trade_id FROM trades ORDER BY trade_id, ts")
        return [row["trade_id"] for row in rows]

    async def chunk(self) -> dict[str, Any]:
        row = await self.connection.fetchrow(
            "SELECT chunks.state, jobs.state AS job, cursor, attempts, rounds, requests, stored, leased_by,"
            " chunks.detail FROM chunks JOIN jobs USING (job_id) ORDER BY chunk_id LIMIT 1"
        )
        return dict(row or {})

    async def of_chunk(self, *names: str) -> tuple[Any, ...]:
        chunk = await self.chunk()
        return tuple(chunk[name] for name in names)

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something to become true; the test's own deadline ends a wait that is in vain."""
        while not await true():  # noqa: ASYNC110 - what is waited for is in the database
            await asyncio.sleep(0.01)

    async def waits(self) -> bool:
        """Tell whether a request waits for its answer."""
        return self.past.waiting > 0

    async def ended(self) -> bool:
        """Tell whether no chunk waits any more."""
        return not await self.connection.fetchval("SELECT count(*) FROM chunks WHERE state = 'waiting'")

    async def hurry(self) -> None:
        """Let whatever is postponed be due now."""
        await self.connection.execute("UPDATE chunks SET due_at = clock_timestamp() WHERE state = 'waiting'")


@asynccontextmanager
async def placed(url: str, trades: int = 40) -> AsyncIterator[Place]:
    """Give a venue with a tape of so many trades, and a database that listens to it and has none."""
    adapter = venue("binance")
    past = Past(())
    async with serving(past.answer) as server, connected(url, "test") as connection:
        instrument = adapter.instrument("BTC/USDT")
        listed = (await register(connection, [instrument]))[instrument.key]
        await feeds.offer(
            connection, [WantedFeed(exchange="binance", symbol="BTC/USDT", rest_url=server.url)]
        )
        past.trades = tape(listed.instrument_id, trades)
        await ensure_days(connection, {day_of(trade.ts) for trade in past.trades})
        try:
            yield Place(url, connection, listed, past, server)
        finally:
            past.allow()
