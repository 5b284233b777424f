"""Ingesters share the feeds of the table, against a small exchange on real sockets and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from db import feeds, sockets
from db.connections import connected
from db.feeds import FeedName, WantedFeed
from db.holdings import Holder, Lock
from ingest.__main__ import Ingester
from ingest.settings import IngestSettings
from tests.ingest.exchange import Exchange
from tests.ingest.freely import freely
from tests.ingest.test_ingest import Deaf
from tests.ingest.wires import wired

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from db.connections import Connection

BASES = ("BTC", "ETH", "SOL", "XRP")
SYMBOLS = tuple(f"{base}/USD" for base in BASES)
ONCE = dict.fromkeys(SYMBOLS, 1)


class Member:
    """One ingester of several in this process."""

    def __init__(self, ingester: Ingester, task: asyncio.Task[None], stopping: asyncio.Event) -> None:
        self._ingester = ingester
        self._task = task
        self._stopping = stopping

    @property
    def owned(self) -> int:
        return self._ingester._claimer.owned

    @property
    def carried(self) -> int:
        return len(self._ingester._switchboard.carried())

    async def stop(self) -> None:
        self._stopping.set()
        await self._task

    async def die(self) -> None:
        """End without a word, as far as a task can."""
        self._task.cancel()
        await asyncio.wait({self._task})


class Town:
    """An exchange, a database, and who ingests from one to the other."""

    def __init__(
        self, url: str, exchange: Exchange, connection: "Connection", group: asyncio.TaskGroup
    ) -> None:
        self.url = url
        self.exchange = exchange
        self.connection = connection
        self._group = group
        self._outbound = freely(httpx.AsyncClient())
        self.members: list[Member] = []
        self.locks = 0
        """How many locks an unlucky holder tried."""

    def settle(self, url: str = "") -> Member:
        stopping = asyncio.Event()
        settings = IngestSettings(reconnect_cap_seconds=0.5)
        ingester = Ingester(settings, url or self.url, Deaf(), self._outbound, "test")
        member = Member(ingester, self._group.create_task(ingester.run(stopping)), stopping)
        self.members.append(member)
        return member

    async def add(self, *symbols: str, exchange: Exchange | None = None) -> None:
        address = (exchange or self.exchange).url
        await feeds.add(
            self.connection,
            [WantedFeed(exchange="kraken", symbol=symbol, stream_url=address) for symbol in symbols],
        )

    async def state(self, symbol: str) -> tuple[str, str]:
        rows = {row.symbol: row for row in await feeds.feeds(self.connection)}
        return rows[symbol].state, rows[symbol].reason

    async def stored(self, expected: int) -> None:
        """Return when there are so many trades."""
        while expected != await self.connection.fetchval("SELECT count(*) FROM trades"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def end_sessions(self) -> None:
        """End the sessions by which feeds are held."""
        await self.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'heliograph ingest feeds' AND datname = current_database()"
        )

    async def owners(self) -> set[int]:
        """Return the sessions by which feeds are held."""
        return set((await Holder(self.connection).holdings()).owners.values())

    async def owned(self, *numbers: int) -> None:
        await self.exchange.until(lambda: sorted(numbers) == sorted(each.owned for each in self.members))


def names(*symbols: str) -> list[FeedName]:
    return [FeedName("kraken", symbol) for symbol in symbols]


@asynccontextmanager
async def town_of(url: str, exchange: Exchange) -> AsyncIterator[Town]:
    async with (
        asyncio.timeout(60),
        exchange.serving(),
        connected(url, "test") as connection,
        asyncio.TaskGroup() as group,
    ):
        town = Town(url, exchange, connection, group)
        await town.add(*SYMBOLS)
        yield town
        for member in town.members:
            await member.stop()


@pytest.fixture
async def town(postgres_url: str) -> AsyncIterator[Town]:
    async with town_of(postgres_url, Exchange()) as made:
        yield made


async def test_who_is_alone_listens_to_everything_on_one_connection(town: Town) -> None:
    town.settle()
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    assert 1 == town.exchange.opened
    await town.exchange.trade(*SYMBOLS, *SYMBOLS)
    await town.stored(8)


async def test_a_newcomer_gets_its_share_and_nothing_is_unheard_for_a_moment(town: Town) -> None:
    town.settle()
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    town.settle()
    await town.owned(2, 2)
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    town.settle()
    await town.owned(1, 1, 2)
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    assert [] == town.exchange.unheard


async def test_who_ends_hands_its_feeds_over_and_nothing_is_unheard_for_a_moment(town: Town) -> None:
    first = town.settle()
    town.settle()
    await town.owned(2, 2)
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    await first.stop()
    town.members.remove(first)
    await town.owned(4)
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    assert [] == town.exchange.unheard


async def test_the_feeds_of_one_that_died_are_taken_by_the_others(town: Town) -> None:
    first = town.settle()
    town.settle()
    town.settle()
    await town.owned(1, 1, 2)
    await first.die()
    town.members.remove(first)
    await town.owned(2, 2)
    await town.exchange.until(lambda: ONCE == town.exchange.heard)


async def test_feeds_come_and_go_on_a_running_connection_and_others_are_not_disturbed(town: Town) -> None:
    town.settle()
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    await town.add("ADA/USD")
    await town.exchange.until(lambda: {**ONCE, "ADA/USD": 1} == town.exchange.heard)
    await feeds.pause(town.connection, names("BTC/USD"))
    await feeds.remove(town.connection, names("ADA/USD", "ETH/USD"))
    await town.exchange.until(lambda: {"SOL/USD": 1, "XRP/USD": 1} == town.exchange.heard)
    await feeds.resume(town.connection, names("BTC/USD"))
    await town.exchange.until(lambda: {"BTC/USD": 1, "SOL/USD": 1, "XRP/USD": 1} == town.exchange.heard)
    assert 1 == town.exchange.opened
    assert {"ADA/USD", "BTC/USD", "ETH/USD"} == set(town.exchange.unheard)
    await town.exchange.trade("BTC/USD", "SOL/USD")
    await town.stored(2)


async def test_the_last_feed_takes_the_connection_with_it_and_the_next_makes_another(town: Town) -> None:
    town.settle()
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    await feeds.pause(town.connection, names(*SYMBOLS))
    await town.exchange.until(lambda: not town.exchange.listening)
    await feeds.resume(town.connection, names("SOL/USD"))
    await town.exchange.until(lambda: {"SOL/USD": 1} == town.exchange.heard)
    assert 2 == town.exchange.opened


async def test_what_the_venue_does_not_have_is_closed_with_its_reason_and_others_go_on(
    postgres_url: str,
) -> None:
    async with town_of(postgres_url, Exchange("ETH/USD")) as town:
        town.settle()
        left = {symbol: 1 for symbol in SYMBOLS if symbol != "ETH/USD"}
        await town.exchange.until(lambda: left == town.exchange.heard)
        await town.owned(3)
        assert ("closed", "Currency pair not supported ETH/USD") == await town.state("ETH/USD")
        assert [("active", "")] * 3 == [await town.state(symbol) for symbol in left]
        assert (1, []) == (town.exchange.opened, town.exchange.unheard)
        town.exchange.delisted.clear()
        await feeds.resume(town.connection, names("ETH/USD"))
        await town.exchange.until(lambda: ONCE == town.exchange.heard)


async def test_what_no_venue_can_have_is_closed_with_a_reason(town: Town) -> None:
    town.settle()
    await town.add("nonsense")
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    await town.owned(4)
    state, reason = await town.state("nonsense")
    assert "closed" == state
    assert "'nonsense' is not BASE/QUOTE" in reason


async def test_an_address_that_can_be_none_closes_its_feed_and_others_go_on(town: Town) -> None:
    town.settle()
    bad = WantedFeed(exchange="kraken", symbol="DOT/USD", stream_url="ws://localhost:abc")
    await feeds.offer(town.connection, [bad])
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    await town.owned(4)
    state, reason = await town.state("DOT/USD")
    assert "closed" == state
    assert "'ws://localhost:abc' is no address" in reason


async def test_a_feed_at_another_address_moves_there(town: Town) -> None:
    town.settle()
    async with Exchange().serving() as other:
        await town.exchange.until(lambda: ONCE == town.exchange.heard)
        await town.add("SOL/USD", exchange=other)
        await other.until(lambda: {"SOL/USD": 1} == other.heard)
        await town.exchange.until(lambda: "SOL/USD" not in town.exchange.heard)
        await feeds.remove(town.connection, names("SOL/USD"))
        await other.until(lambda: not other.listening)
    assert ["SOL/USD"] == town.exchange.unheard


async def test_losing_the_locks_stops_nothing_and_they_are_taken_again(town: Town) -> None:
    member = town.settle()
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    await town.end_sessions()
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::int::oid"
    while 4 != await town.connection.fetchval(held, 0x484F574E):  # noqa: ASYNC110 - other sessions'
        await asyncio.sleep(0.02)
    assert (4, 1, []) == (member.owned, town.exchange.opened, town.exchange.unheard)


async def test_what_another_took_meanwhile_is_left_to_it(town: Town) -> None:
    town.settle()
    await town.owned(4)
    async with connected(town.url, "test") as rival:
        ids = [row["feed_id"] for row in await rival.fetch("SELECT feed_id FROM feeds ORDER BY feed_id")]
        await town.end_sessions()
        await rival.execute("SELECT pg_advisory_lock($1::int, $2::int)", 0x484F574E, ids[0])
        await town.owned(3)
        await town.exchange.until(lambda: 3 == len(town.exchange.heard))
    await town.owned(4)


class Unlucky(Holder):
    """Loses its session with the second lock that it takes, once; nobody wants a feed any more by then."""

    def __init__(self, town: Town, connection: "Connection") -> None:
        super().__init__(connection)
        self._town = town

    async def try_lock(self, lock: Lock, feed_id: int) -> bool:
        self._town.locks += 1
        if self._town.locks == 2:
            await feeds.remove(self._town.connection, names(*SYMBOLS))
            await self._town.connection.execute("SELECT pg_terminate_backend($1, 5000)", self.session)
        return await super().try_lock(lock, feed_id)


async def test_losing_the_locks_again_while_they_are_taken_forgets_no_feed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.settle()
    await town.owned(4)
    await town.exchange.until(lambda: ONCE == town.exchange.heard)
    monkeypatch.setattr("ingest.claiming.Holder", partial(Unlucky, town))
    await town.end_sessions()
    await town.exchange.until(lambda: not town.exchange.heard)
    assert 2 <= town.locks


async def test_what_a_lost_session_still_holds_is_ours(postgres_url: str) -> None:
    async with town_of(postgres_url, Exchange()) as town, wired(postgres_url) as (wire, url):
        town.settle(url)
        await town.owned(4)
        await town.exchange.until(lambda: ONCE == town.exchange.heard)
        before = await town.owners()
        wire.lose()
        while (await town.owners()) & before or not await town.owners():  # noqa: ASYNC110 - other sessions'
            await asyncio.sleep(0.02)
        await town.owned(4)
        assert (1, []) == (town.exchange.opened, town.exchange.unheard)
        for member in town.members:
            await member.stop()
        town.members.clear()


async def test_nothing_new_is_taken_while_saturated(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    member = town.settle()
    await town.owned(4)
    monkeypatch.setattr(member._ingester._claimer, "_saturated", lambda: True)
    await town.add("ADA/USD")
    await feeds.remove(town.connection, names("BTC/USD"))
    await town.owned(3)
    monkeypatch.undo()
    await town.owned(4)


async def test_beyond_what_a_venue_lets_one_connection_carry_there_is_another(town: Town) -> None:
    town.settle()
    await town.add(*(f"A{number}/USD" for number in range(197)))
    await town.owned(201)
    await town.exchange.until(lambda: 201 == len(town.exchange.heard))
    assert [1, 200] == sorted(map(len, town.exchange.listening.values()))
    while [1, 2] != [each.number for each in await sockets.read(town.connection)]:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def test_a_new_feed_asks_for_its_recent_past_once(town: Town) -> None:
    member = town.settle()
    chunks = "SELECT symbol, to_ts - from_ts AS length FROM chunks JOIN instruments USING (instrument_id)"
    while len(await town.connection.fetch(chunks)) < 4:  # noqa: ASYNC110 - another session's
        await asyncio.sleep(0.02)
    await town.exchange.trade(*SYMBOLS)
    await town.stored(4)
    await member.stop()
    town.members.remove(member)
    town.settle()
    await town.add("ADA/USD")
    while len(rows := await town.connection.fetch(chunks)) < 5:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert sorted([*SYMBOLS, "ADA/USD"]) == sorted(row["symbol"] for row in rows)
    assert {timedelta(seconds=900)} == {row["length"] for row in rows}


async def test_what_the_venues_history_does_not_know_is_closed_though_its_socket_acknowledged_it(
    town: Town,
) -> None:
    town.settle()
    await town.owned(4)
    refusal = "the venue answered 400: Currency pair not supported"
    answered = (
        "UPDATE chunks SET detail = $1 FROM instruments"
        " WHERE chunks.instrument_id = instruments.instrument_id AND symbol = 'XRP/USD'"
    )
    while "UPDATE 1" != await town.connection.execute(answered, refusal):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    await town.owned(3)
    assert ("closed", refusal) == await town.state("XRP/USD")
    assert [("failed", refusal)] == [
        tuple(row)
        for row in await town.connection.fetch("SELECT state, detail FROM jobs WHERE state <> 'waiting'")
    ]
    assert ["XRP/USD"] == town.exchange.unheard
