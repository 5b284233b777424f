import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from db.connections import connected
from db.instruments import Listed, register
from db.partitions import day_of, ensure_days
from db.writers import enlist
from heliograph.embedded.postgres import Postgres
from ingest.buffer import Arrival, Buffer
from ingest.findings import NOTHING, Findings
from ingest.notifying import Notifier
from ingest.tallies import Tallies
from ingest.venues.venue import FRAMES, QUOTES, TRADES, Decoded, Reason, Rejection
from ingest.writer import Rhythm, Writer
from market.channels import Family
from market.coverage import Proof
from market.depths import Depth
from market.gaps import Cause, Finding, GapState
from market.instruments import spot
from market.publications import Latest
from market.quotes import Quote
from market.times import SECOND
from market.trades import Side, Trade
from runtime.backoff import delays

pytestmark = pytest.mark.slow

MOMENT = 1_700_000_000 * SECOND
SOL = spot("kraken", "SOL", "USD", "SOL/USD")
DEADLINE_SECONDS = 60


class Hearer:
    """Remembers what was told on the bus."""

    def __init__(self) -> None:
        self.shards: set[int] = set()
        self.values: list[Latest] = []
        self.woken = asyncio.Event()

    async def wake(self, shards: Sequence[int]) -> None:
        self.shards |= set(shards)
        self.woken.set()

    async def latest(self, values: Sequence[Latest]) -> None:
        self.values.extend(values)


class Bench:
    """A writer with everything around it."""

    def __init__(self, url: str, listed: Listed) -> None:
        self.url = url
        self.listed = listed
        self.hearer = Hearer()
        self.buffer = Buffer(100_000)
        self.tallies = Tallies(["kraken"])
        self.notifier = Notifier(self.hearer)
        self.retrying = asyncio.Event()
        self.writer = Writer(
            url,
            self.buffer,
            {listed.instrument_id: listed},
            tallies=self.tallies,
            notifier=self.notifier,
            rhythm=Rhythm(commit_after_seconds=0.001, commit_ticks=1000, retry_delays=self._delays),
            code_version="test",
        )

    def _delays(self) -> Iterator[float]:
        for delay in delays(0.01, 0.05):
            self.retrying.set()
            yield delay

    async def put(self, decoded: Decoded, findings: Findings = NOTHING) -> None:
        arrival = Arrival("kraken", decoded, findings)
        self.tallies.offer(arrival)
        await self.buffer.put(arrival)

    async def finish(self) -> None:
        self.buffer.close()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.writer.run()
            self.notifier.close()
            await self.notifier.run()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run until what was put is written."""
        async with asyncio.timeout(DEADLINE_SECONDS), asyncio.TaskGroup() as group:
            writing = group.create_task(self.writer.run())
            group.create_task(self.notifier.run())
            yield
            self.buffer.close()
            await writing
            self.notifier.close()

    def gap(self, state: GapState = GapState.OPEN, before_id: int | None = None) -> Findings:
        found = Finding(
            instrument_id=self.listed.instrument_id,
            kind=TRADES,
            cause=Cause.RECONNECT,
            state=state,
            from_ts=MOMENT - SECOND,
            to_ts=MOMENT,
            after_id=1,
            before_id=before_id,
        )
        return Findings([Proof(self.listed.instrument_id, TRADES, MOMENT, MOMENT + SECOND)], [found])

    async def gaps(self) -> list[tuple[str, int | None, int]]:
        """Return the gaps: state, the trade after it, jobs that there are for it."""
        async with connected(self.url, "test") as connection:
            rows = await connection.fetch(
                "SELECT state, before_id, (SELECT count(*) FROM jobs JOIN chunks USING (job_id)"
                " WHERE chunks.gap_id = gaps.gap_id) FROM gaps ORDER BY gap_id"
            )
        return [tuple(row) for row in rows]

    def trades(self, *numbers: int) -> list[Trade]:
        id_ = self.listed.instrument_id
        return [Trade(id_, MOMENT, number, 1.5, 2.0, Side.BUY, MOMENT) for number in numbers]

    def tally(self, kind: str) -> dict[str, Any]:
        kinds = self.tallies.counters()["kraken"]
        assert isinstance(kinds, dict)
        found: dict[str, Any] = kinds[kind]
        return found


async def bench_of(url: str) -> Bench:
    async with connected(url, "test") as connection:
        listed = await register(connection, [SOL])
    return Bench(url, listed[SOL.key])


@pytest.fixture
async def bench(postgres_url: str) -> Bench:
    return await bench_of(postgres_url)


def tally(offered: int, stored: int, duplicates: int, **rejected: int) -> dict[str, object]:
    outcomes = {"stored": stored, "duplicates": duplicates, "conflated": 0, "rejected": rejected}
    return {"offered": offered, **outcomes}


async def test_what_is_written_is_tallied_told_and_in_the_database(bench: Bench) -> None:
    quote = Quote(bench.listed.instrument_id, MOMENT, 5, 1.0, float("nan"), 2.0, 3.0, MOMENT)
    await bench.put(Decoded(trades=bench.trades(1, 2), quotes=[quote]))
    await bench.put(Decoded(trades=bench.trades(2, 3), repeated={QUOTES: 1}))
    await bench.finish()
    assert tally(4, 3, 1) == bench.tally(TRADES)
    assert tally(2, 1, 1) == bench.tally(QUOTES)
    assert {bench.listed.shard} == bench.hearer.shards
    trade, told = bench.hearer.values
    assert (Family.TRADES, MOMENT, 3, 3) == (trade.family, trade.ts, trade.id, trade.count)
    assert told.data == (
        '{"exchange":"kraken","symbol":"SOL/USD","ts":"2023-11-14T22:13:20.000000Z","bid_price":1.0,'
        '"bid_size":null,"ask_price":2.0,"ask_size":3.0,"received_at":"2023-11-14T22:13:20.000000Z"}'
    )


async def test_the_newest_depth_of_a_commit_is_told_with_its_levels(bench: Bench) -> None:
    id_ = bench.listed.instrument_id
    depths = [Depth(id_, MOMENT, n, (1.5,), (2.0,), (1.75, 1.8), (3.0, float(n)), MOMENT) for n in (8, 9)]
    await bench.put(Decoded(depths=depths))
    await bench.finish()
    [told] = bench.hearer.values
    assert (Family.DEPTH, MOMENT, 9, 2) == (told.family, told.ts, told.id, told.count)
    assert told.data == (
        '{"exchange":"kraken","symbol":"SOL/USD","ts":"2023-11-14T22:13:20.000000Z","update_id":"9",'
        '"bids":[[1.5,2.0]],"asks":[[1.75,3.0],[1.8,9.0]],"received_at":"2023-11-14T22:13:20.000000Z"}'
    )


async def test_who_waits_long_for_a_lock_lets_go_of_its_own_and_tries_again(bench: Bench) -> None:
    async with connected(bench.url, "test") as history, connected(bench.url, "test watch") as watch:
        await ensure_days(history, [day_of(MOMENT)])
        transaction = history.transaction()
        await transaction.start()
        await history.execute(
            "INSERT INTO trades SELECT $1, 1, $2, $3, 2, 1, 1, $3",
            bench.listed.exchange_id,
            bench.listed.instrument_id,
            MOMENT,
        )
        async with bench.running():
            await bench.put(Decoded(trades=bench.trades(1, 2, 3)))
            await bench.retrying.wait()
            await transaction.rollback()
        assert 3 == await watch.fetchval("SELECT count(*) FROM trades")
    assert bench.writer.retries


async def test_rejections_are_counted_by_reason_and_kept_when_they_have_a_payload(bench: Bench) -> None:
    rejections = [
        Rejection(TRADES, Reason.NOT_A_DOUBLE, b"a trade"),
        Rejection(QUOTES, Reason.NO_TIME),
        Rejection(FRAMES, Reason.UNDECODABLE, b"\xff"),
    ]
    await bench.put(Decoded(rejections=rejections))
    await bench.finish()
    assert tally(1, 0, 0, not_a_double=1) == bench.tally(TRADES)
    assert tally(1, 0, 0, no_time=1) == bench.tally(QUOTES)
    assert tally(1, 0, 0, undecodable=1) == bench.tally(FRAMES)
    async with connected(bench.url, "test") as connection:
        letters = await connection.fetch(
            "SELECT source, exchange, reason, payload FROM dead_letters ORDER BY 1"
        )
    expected = [("frame", "kraken", "undecodable", b"\xff"), ("tick", "kraken", "not_a_double", b"a trade")]
    assert expected == [tuple(letter) for letter in letters]


async def test_a_restart_of_postgresql_loses_and_repeats_nothing(postgres_server: Postgres) -> None:
    bench = await bench_of(postgres_server.url)
    async with bench.running():
        await bench.put(Decoded(trades=bench.trades(1)))
        await bench.hearer.woken.wait()
        await asyncio.to_thread(postgres_server.stop)
        await bench.put(Decoded(trades=bench.trades(1, 2, 3)))
        await bench.retrying.wait()
        assert tally(4, 1, 0) == bench.tally(TRADES)
        await asyncio.to_thread(postgres_server.start)
    assert tally(4, 3, 1) == bench.tally(TRADES)
    async with connected(bench.url, "test") as connection:
        assert await connection.fetchval("SELECT count(*) FROM trades") == 3
        assert await connection.fetchval("SELECT sum(ticks) FROM batches") == 3


async def test_a_commit_whose_answer_was_lost_counts_as_stored(bench: Bench) -> None:
    await bench.put(Decoded(trades=bench.trades(1, 2)))
    writer = bench.writer
    async with writer._session() as session:
        await writer._take()
        ticks = writer._merged()
        await session.ensure_days(ticks)
        writer._unsettled = await session.ticks.write(ticks, writer._places)
    assert tally(2, 0, 0) == bench.tally(TRADES)
    await bench.finish()
    assert tally(2, 2, 0) == bench.tally(TRADES)
    assert {bench.listed.shard} == bench.hearer.shards


async def test_a_gap_is_written_and_told_with_its_ticks(bench: Bench) -> None:
    await bench.put(Decoded(trades=bench.trades(9)), bench.gap(before_id=9))
    await bench.finish()
    assert [("open", 9, 1)] == await bench.gaps()
    [told] = [value for value in bench.hearer.values if value.family is Family.COVERAGE]
    gap = msgspec.json.decode(told.data)
    assert ("kraken", "SOL/USD", "open", "1", "9") == (
        gap["exchange"],
        gap["symbol"],
        gap["state"],
        gap["after_id"],
        gap["before_id"],
    )
    async with connected(bench.url, "test") as connection:
        assert await connection.fetchval("SELECT to_ts FROM proofs") == MOMENT + SECOND


async def test_of_a_gap_that_ends_in_the_commit_it_begins_in_nothing_is_written(bench: Bench) -> None:
    await bench.put(Decoded(trades=bench.trades(1)), bench.gap())
    await bench.put(Decoded(trades=bench.trades(2)), bench.gap(GapState.CLOSED))
    await bench.finish()
    assert [] == await bench.gaps()


async def test_a_gap_is_written_once_though_the_answer_to_its_commit_was_lost(bench: Bench) -> None:
    await bench.put(Decoded(), bench.gap())
    writer = bench.writer
    async with writer._session() as session:
        await writer._take()
        writer._unsettled = await session.ticks.write(writer._merged(), writer._places)
    async with connected(bench.url, "test") as connection:
        await connection.execute("UPDATE gaps SET state = 'closed'")
    await bench.finish()
    assert [("closed", None, 1)] == await bench.gaps()
    assert [Family.COVERAGE] == [value.family for value in bench.hearer.values]


async def test_a_gap_is_written_once_through_a_restart_of_postgresql(postgres_server: Postgres) -> None:
    bench = await bench_of(postgres_server.url)
    async with bench.running():
        await bench.put(Decoded(trades=bench.trades(1)))
        await bench.hearer.woken.wait()
        await asyncio.to_thread(postgres_server.stop)
        await bench.put(Decoded(trades=bench.trades(3)), bench.gap(before_id=3))
        await bench.retrying.wait()
        await bench.put(Decoded(trades=bench.trades(4)), bench.gap(before_id=3))
        await asyncio.to_thread(postgres_server.start)
    assert [("open", 3, 1)] == await bench.gaps()


async def test_each_connection_takes_a_free_slot(bench: Bench) -> None:
    async with connected(bench.url, "other") as other:
        assert (await enlist(other)).slot == 0
        await bench.put(Decoded(trades=bench.trades(1)))
        await bench.finish()
        assert [1] == [row["writer"] for row in await other.fetch("SELECT writer FROM batches")]


async def test_a_partition_that_was_dropped_meanwhile_is_made_again(bench: Bench) -> None:
    async with connected(bench.url, "test") as connection, bench.running():
        await bench.put(Decoded(trades=bench.trades(1)))
        await bench.hearer.woken.wait()
        await connection.execute("DROP TABLE trades_20231114")
        await bench.put(Decoded(trades=bench.trades(1, 2)))
    assert tally(3, 3, 0) == bench.tally(TRADES)
    assert bench.writer.retries == 1


async def test_two_writers_of_the_same_ticks_store_each_once_and_list_each_once(bench: Bench) -> None:
    benches = [bench, await bench_of(bench.url)]
    async with benches[0].running(), benches[1].running():
        for number in range(200):
            for each in benches:
                await each.put(Decoded(trades=each.trades(number, number + 1)))
    tallies = [each.tally(TRADES) for each in benches]
    assert [400, 400] == [counts["offered"] for counts in tallies]
    assert sum(counts["stored"] for counts in tallies) == 201
    async with connected(bench.url, "test") as connection:
        assert await connection.fetchval("SELECT count(*) FROM trades") == 201
        assert await connection.fetchval("SELECT sum(ticks) FROM batches") == 201
        assert await connection.fetchval("SELECT count(*) FROM writers") == 2
