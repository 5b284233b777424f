import asyncio
import random
import signal
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from db import commits
from db.commits import was_committed
from db.connections import connect, connected
from db.instruments import Listed, register
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from heliograph.embedded.postgres import Postgres
from market import batches
from market.batches import Span
from market.coverage import Proof
from market.depths import Depth
from market.gaps import Cause, Finding, GapState
from market.instruments import spot
from market.quotes import Quote
from market.ticks import Kind
from market.times import DAY, SECOND
from market.trades import Side, Trade
from market.watermarks import Watermark

MOMENT = 1_700_000_000 * SECOND
INSTRUMENTS = [spot("kraken", base, "USD", f"{base}/USD") for base in ("BTC", "SOL", "ETH", "XRP")]

if TYPE_CHECKING:
    from db.connections import Connection


def trade(instrument_id: int, number: int, ts: int = MOMENT) -> Trade:
    return Trade(instrument_id, ts, number, 100.5, 0.25, Side.BUY, ts + 7)


def quote(instrument_id: int, number: int) -> Quote:
    return Quote(instrument_id, MOMENT, number, 99.5, 1.0, 100.5, float("nan"), MOMENT + 7)


def depth(instrument_id: int, number: int) -> Depth:
    return Depth(instrument_id, MOMENT, number, (99.5, 99.0), (1.0, 2.0), (100.5,), (3.0,), MOMENT + 7)


def skipped(instrument_id: int) -> Finding:
    return Finding(
        instrument_id=instrument_id,
        kind="trades",
        cause=Cause.SEQUENCE,
        state=GapState.OPEN,
        from_ts=MOMENT,
        to_ts=MOMENT + 1,
        after_id=5,
        before_id=9,
    )


class Place:
    """A database with four instruments and the partitions of three days."""

    def __init__(self, url: str, listed: dict[str, Listed]) -> None:
        self.url = url
        self.places = {each.instrument_id: each for each in listed.values()}
        self.first, self.second, *_ = sorted(self.places)

    async def writer(self, connection: "Connection") -> TickWriter:
        return TickWriter(connection, await enlist(connection))


async def place_of(url: str) -> Place:
    async with connected(url, "test") as connection:
        listed = await register(connection, INSTRUMENTS)
        await ensure_days(connection, [day_of(MOMENT + days * DAY) for days in (-1, 0, 1)])
    return Place(url, listed)


@pytest.fixture
async def place(postgres_url: str) -> Place:
    return await place_of(postgres_url)


@pytest.fixture
async def connection(place: Place) -> AsyncIterator["Connection"]:
    async with connected(place.url, "test") as connection:
        yield connection


async def test_what_was_stored_is_listed_by_instrument_and_kind(
    place: Place, connection: "Connection"
) -> None:
    writer = await place.writer(connection)
    one, two = place.first, place.second
    written = await writer.write(
        Ticks(
            [trade(one, 9), trade(one, 8), trade(two, 1)],
            [quote(one, 3)],
            [depth(two, 4)],
            [Watermark(two, MOMENT, 5)],
        ),
        place.places,
    )
    expected = {
        one: [Span(Kind.TRADE, MOMENT, 8, MOMENT, 9, 2), Span(Kind.QUOTE, MOMENT, 3, MOMENT, 3, 1)],
        two: [
            Span(Kind.TRADE, MOMENT, 1, MOMENT, 1, 1),
            Span(Kind.DEPTH, MOMENT, 4, MOMENT, 4, 1),
            Span(Kind.WATERMARK, MOMENT, 0, MOMENT, 0, 1),
        ],
    }
    assert expected == written.listing
    rows = await connection.fetch("SELECT shard, writer, ticks, listing FROM batches ORDER BY shard")
    assert {place.places[i].shard for i in expected} == {row["shard"] for row in rows}
    assert expected == {k: v for row in rows for k, v in batches.decode(row["listing"]).items()}
    assert {spans[0].kind for spans in expected.values()} == {Kind.TRADE}
    assert sum(row["ticks"] for row in rows) == 6


async def test_duplicates_are_neither_stored_nor_listed_and_their_neighbours_are(
    place: Place, connection: "Connection"
) -> None:
    writer = await place.writer(connection)
    one = place.first
    await writer.write(Ticks([trade(one, n) for n in (1, 2, 3)]), place.places)
    written = await writer.write(Ticks([trade(one, n) for n in (2, 3, 4, 5, 5)]), place.places)
    assert {one: [Span(Kind.TRADE, MOMENT, 4, MOMENT, 5, 2)]} == written.listing
    stored = await connection.fetch("SELECT trade_id FROM trades ORDER BY trade_id")
    assert [1, 2, 3, 4, 5] == [row["trade_id"] for row in stored]


async def test_a_write_of_duplicates_alone_makes_no_batch(place: Place, connection: "Connection") -> None:
    writer = await place.writer(connection)
    ticks = Ticks(
        [trade(place.first, 1)],
        [quote(place.first, 1)],
        [depth(place.first, 1)],
        [Watermark(place.first, MOMENT, 0)],
    )
    await writer.write(ticks, place.places)
    again = await writer.write(ticks, place.places)
    assert ({}, None) == (again.listing, again.commit)
    assert await connection.fetchval("SELECT count(*) FROM batches") == 1


async def test_one_trade_id_in_two_instants_and_two_ids_in_one_are_kept_apart(
    place: Place, connection: "Connection"
) -> None:
    writer = await place.writer(connection)
    one = place.first
    ticks = [
        trade(one, 1),
        trade(one, 1, MOMENT + 1),
        trade(one, 2),
        trade(place.second, 1),
        trade(one, 1, MOMENT + DAY),
    ]
    written = await writer.write(Ticks(ticks), place.places)
    assert [
        Span(Kind.TRADE, MOMENT, 1, MOMENT + DAY, 1, 4),
        Span(Kind.TRADE, MOMENT, 1, MOMENT, 1, 1),
    ] == [written.listing[one][0], written.listing[place.second][0]]


async def test_after_conflicts_a_table_is_written_directly_again(
    place: Place, connection: "Connection"
) -> None:
    writer = await place.writer(connection)
    await writer.write(Ticks([trade(place.first, 0)]), place.places)
    await writer.write(Ticks([trade(place.first, 0)]), place.places)
    for number in range(1, 70):
        written = await writer.write(Ticks([trade(place.first, number)]), place.places)
        assert written.listing[place.first][0].count == 1
    assert not any(writer._expecting.values())


async def test_seq_grows_with_every_batch_and_with_every_new_connection(place: Place) -> None:
    seqs: list[int] = []
    for number in range(3):
        async with connected(place.url, "test") as connection:
            writer = await place.writer(connection)
            await writer.write(Ticks([trade(place.first, 2 * number)]), place.places)
            await writer.write(Ticks([trade(place.first, 2 * number + 1)]), place.places)
            rows = await connection.fetch("SELECT writer, seq FROM batches ORDER BY created_at")
            assert {row["writer"] for row in rows} <= {0, 1}
            seqs = [row["seq"] for row in rows]
    assert sorted(set(seqs)) == seqs


async def test_two_connections_never_hold_one_slot(place: Place) -> None:
    async with connected(place.url, "test") as one, connected(place.url, "test") as two:
        slots = {(await enlist(one)).slot, (await enlist(two)).slot}
    assert {0, 1} == slots


@pytest.mark.parametrize("round_", range(3))
async def test_two_writers_with_the_same_trades_in_other_orders_store_each_once(
    place: Place, round_: int
) -> None:
    shuffle = random.Random(round_).shuffle
    ticks = [
        trade(instrument_id, number, MOMENT + number % 7 + days * DAY)
        for instrument_id in place.places
        for number in range(300)
        for days in (0, 1)
    ]

    async def write(mine: list[Trade]) -> int:
        async with connected(place.url, "test") as connection:
            writer = await place.writer(connection)
            parts = [mine[at : at + 400] for at in range(0, len(mine), 400)]
            written = [await writer.write(Ticks(part), place.places) for part in parts]
        return sum(span.count for each in written for spans in each.listing.values() for span in spans)

    copies = [ticks.copy() for _ in range(3)]
    for copy in copies:
        shuffle(copy)
    counts = await asyncio.gather(*map(write, copies))
    async with connected(place.url, "test") as connection:
        stored = await connection.fetchval("SELECT count(*) FROM trades")
        listed = await connection.fetchval("SELECT sum(ticks) FROM batches")
    assert [len(ticks)] * 3 == [stored, listed, sum(counts)]


async def test_a_killed_write_leaves_nothing_and_can_be_done_again(place: Place) -> None:
    ticks = Ticks([trade(place.first, number) for number in range(50)], [quote(place.first, 1)])
    blocked = await connect(place.url, "blocked")
    async with connected(place.url, "other") as other:
        holding = other.transaction()
        await holding.start()
        await (await place.writer(other)).write(Ticks((), [quote(place.first, 1)]), place.places)
        task = asyncio.create_task((await place.writer(blocked)).write(ticks, place.places))
        await _until_waiting(place.url)
        blocked.terminate()
        with pytest.raises(Exception, match="writing ticks"):
            await task
        await holding.rollback()
        assert await other.fetchval("SELECT count(*) FROM trades") == 0
        written = await (await place.writer(other)).write(ticks, place.places)
    assert [50, 1] == [span.count for span in written.listing[place.first]]


async def _until_waiting(url: str) -> None:
    async with connected(url, "watch") as watch:
        while not await watch.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ):
            pass


async def test_what_was_found_is_committed_with_the_ticks(place: Place, connection: "Connection") -> None:
    proof = Proof(place.first, "trades", MOMENT, MOMENT + SECOND)
    ticks = Ticks([trade(place.first, 9)], proofs=[proof], gaps=[skipped(place.first)])
    writer = await place.writer(connection)
    written = await writer.write(ticks, place.places)
    [gap] = written.gaps
    assert (place.first, 5, 9) == (gap.instrument_id, gap.after_id, gap.before_id)
    rows = (
        "SELECT count(DISTINCT xmin::text) FROM (SELECT xmin FROM {} UNION ALL SELECT xmin FROM {}) AS rows"
    )
    for one, other in (("trades", "gaps"), ("jobs", "chunks"), ("gaps", "proofs"), ("jobs", "proofs")):
        assert await connection.fetchval(rows.format(one, other)) == 1


async def test_what_is_found_beside_duplicates_alone_has_a_transaction_to_ask_for(
    place: Place, connection: "Connection"
) -> None:
    writer = await place.writer(connection)
    await writer.write(Ticks([trade(place.first, 9)]), place.places)
    written = await writer.write(Ticks([trade(place.first, 9)], gaps=[skipped(place.first)]), place.places)
    assert written.commit is not None
    assert await was_committed(connection, written.commit)


async def test_the_outcome_of_a_commit_can_be_asked_for(place: Place, connection: "Connection") -> None:
    writer = await place.writer(connection)
    written = await writer.write(Ticks([trade(place.first, 1)]), place.places)
    undone = connection.transaction()
    await undone.start()
    undone_written = await writer.write(Ticks([trade(place.first, 2)]), place.places)
    await undone.rollback()
    outcomes = [
        each.commit and await was_committed(connection, each.commit) for each in (written, undone_written)
    ]
    assert [True, False] == outcomes


async def test_only_the_newest_commits_are_kept(place: Place, connection: "Connection") -> None:
    writer = await place.writer(connection)
    for number in range(2 * commits.KEPT + 5):
        written = await writer.write(Ticks([trade(place.first, number)]), place.places)
    assert written.commit is not None
    assert await was_committed(connection, written.commit)
    assert await connection.fetchval("SELECT count(*) FROM commits") <= commits.KEPT


@pytest.mark.slow
async def test_a_commit_that_a_crash_took_back_did_not_happen_though_its_id_was_given_again(
    postgres_server: Postgres,
) -> None:
    place = await place_of(postgres_server.url)
    async with connected(postgres_server.url, "test") as connection:
        undone = connection.transaction()
        await undone.start()
        written = await (await place.writer(connection)).write(Ticks([trade(place.first, 1)]), place.places)
        assert written.commit is not None
        assert postgres_server.process is not None
        postgres_server.process.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(postgres_server.process.wait)
        await asyncio.to_thread(postgres_server.stop)
        await asyncio.to_thread(postgres_server.start)
        connection.terminate()
    async with connected(postgres_server.url, "test") as connection:
        assert not await was_committed(connection, written.commit)
        given = 0
        while given < int(written.commit.transaction):
            given = int(await connection.fetchval("SELECT pg_current_xact_id()::text"))
        assert given == int(written.commit.transaction)
        assert not await was_committed(connection, written.commit)
        assert await connection.fetchval("SELECT count(*) FROM trades") == 0
