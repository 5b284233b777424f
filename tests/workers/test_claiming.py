"""What a claim promises, each of the six rules of docs/decisions/0002-claim.md among it."""

import asyncio
import random
import re
from collections.abc import Sequence
from itertools import permutations

import msgspec
import pytest

from db import claims
from db.claims import Advance, Head
from db.queries import load
from market.errors import StoreConflictError, StoreError
from market.times import SECOND, floor
from tests.workers.market import BEGAN, Market, claim_all, content, folded_at_once, new_claimer, stored, tape
from workers.claiming import Claimer
from workers.folding import Folded, Folder, InstrumentState, Tick
from workers.kinds.catalogue import KINDS
from workers.portions import TICKS_A_CLAIM

pytestmark = pytest.mark.slow

BAR = "SELECT volume FROM bars"
LOG = 'SELECT instrument_id, family, "offset", op, revises, about, ts FROM publications ORDER BY 1, 2, 3'

every_look = pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        ("due", "'{0}', '{0}', '{5000}'"),
        ("batches", "'{0}', '{0}', '{0}', '{5000}', 500"),
        ("delete_batches", "'{0}', '{0}', '{5001}'"),
        ("heads", "'{0}', '{5000}'"),
        ("sweep_states", "0, 5001"),
        ("sweep_checkpoints", "0, 5001"),
        ("checkpoint", "0"),
    ],
)

LONG_PAST = """
INSERT INTO writers VALUES (0);
INSERT INTO batches SELECT 0, 0, seq, 1, '', clock_timestamp() FROM generate_series(1, 5000) AS seq;
INSERT INTO states SELECT 0, version, repeat('x', 200)::bytea FROM generate_series(1, 5000) AS version;
INSERT INTO checkpoints SELECT 0, version, repeat('x', 200)::bytea FROM generate_series(1, 5000) AS version;
DELETE FROM batches;
DELETE FROM states WHERE version < 5000;
DELETE FROM checkpoints WHERE version < 5000
"""
NEWEST = """
INSERT INTO batches VALUES (0, 0, 5001, 1, '', clock_timestamp());
INSERT INTO states VALUES (0, 5001, '');
INSERT INTO checkpoints VALUES (0, 5001, '')
"""


async def assert_log_is_dense(market: Market) -> None:
    expected: dict[tuple[int, str], int] = {}
    for row in await market.connection.fetch(LOG):
        stream = row["instrument_id"], row["family"]
        expected[stream] = expected.get(stream, 0) + 1
        assert expected[stream] == row["offset"]


async def test_a_claim_folds_what_was_stored_into_bars_signals_and_a_dense_log(market: Market) -> None:
    trades = tape(market.ids[0], 8000)
    async with market.writing() as writer, market.working() as connection:
        await writer.store(trades)
        claimed = await claim_all(new_claimer(), connection)
    assert len(trades) == sum(each.ticks for each in claimed)
    bars, signals = folded_at_once(trades)
    assert signals
    assert (bars, signals) == await stored(market)
    assert len(bars) + len(signals) == sum(len(each.publications) for each in claimed)
    await assert_log_is_dense(market)


async def test_batch_boundaries_change_nothing(market: Market) -> None:
    trades = tape(market.ids[0], 4000)
    chance = random.Random(3)
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        while trades:
            size = chance.randint(1, 200)
            await writer.store(trades[:size])
            trades = trades[size:]
            if chance.random() < 0.5:
                await claim_all(claimer, connection)
        await claim_all(claimer, connection)
    assert folded_at_once(tape(market.ids[0], 4000)) == await stored(market)


async def test_arrival_in_any_order_within_two_seconds_gives_the_same_bars_and_signals(
    market: Market,
) -> None:
    trades = tape(market.ids[0], 3000)
    chance = random.Random(5)
    late = sorted(trades, key=lambda trade: trade.ts + chance.randint(0, 1_800_000))
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for start in range(0, len(late), 25):
            await writer.store(late[start : start + 25])
            await claim_all(claimer, connection)
    bars, signals = folded_at_once(trades)
    got_bars, got_signals = await stored(market)
    # What ended last may still run in one of the two: a later trade closes a bar for good.
    assert set(got_bars) <= set(bars)
    assert bars[:-3] == [bar for bar in bars[:-3] if bar in got_bars]
    assert signals == got_signals
    assert 0 == await market.connection.fetchval("SELECT count(*) FROM dirty")
    await assert_log_is_dense(market)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1, 7_919], ids=["rising ids", "hashed ids"])
async def test_one_instant_in_every_order_over_two_commits_is_the_same_instant(
    market: Market, factor: int
) -> None:
    own = [
        msgspec.structs.replace(trade, trade_id=trade.trade_id * factor % 100_003)
        for trade in tape(market.ids[0], 1200)
    ]
    instant = [msgspec.structs.replace(trade, ts=own[602].ts) for trade in own[600:603]]
    orders = list(permutations(instant))
    for each, order in zip(market.ids, orders, strict=False):
        first = 1 + each % 2
        async with market.writing() as writer, market.working() as connection:
            claimer = new_claimer()
            for part in ([*own[:600], *order[:first]], order[first:], own[603:]):
                own_part = [msgspec.structs.replace(trade, instrument_id=each) for trade in part]
                await writer.store(own_part)
                await claim_all(claimer, connection)
    contents = [await content(market, each) for each in market.ids[: len(orders)]]
    assert contents[0]["bars"]
    assert all(each == contents[0] for each in contents)


async def test_the_log_with_its_corrections_tells_what_the_tables_tell(market: Market) -> None:
    trades = tape(market.ids[0], 1500)
    chance = random.Random(11)
    late = sorted(trades, key=lambda trade: trade.ts + chance.randint(0, 1_800_000))
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for start in range(0, len(late), 10):
            await writer.store(late[start : start + 10])
            await claim_all(claimer, connection)
    log = await market.connection.fetch(
        "SELECT * FROM publications WHERE family = 'bars' ORDER BY \"offset\""
    )
    assert any(row["op"] == "correction" for row in log)
    told = {row["offset"]: row for row in log}
    for row in log:
        if row["revises"]:
            assert told[row["revises"]]["about"] == row["about"]
            assert told[row["revises"]]["ts"] == row["ts"]
    newest = {(row["about"], row["ts"]): row["data"] for row in log}
    standing = [msgspec.json.decode(data) for data in newest.values() if data != "null"]
    bars = await market.connection.fetch(BAR)
    assert sorted(bar["volume"] for bar in standing) == sorted(bar["volume"] for bar in bars)


async def test_a_tick_later_than_two_seconds_makes_its_second_dirty_as_far_as_it(market: Market) -> None:
    trades = tape(market.ids[0], 600)
    missed = trades.pop(20)
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await writer.store(trades)
        await claim_all(claimer, connection)
        await writer.store([missed])
        await claim_all(claimer, connection)
    [dirty] = await market.connection.fetch("SELECT from_ts, to_ts FROM dirty")
    assert (floor(missed.ts, SECOND), missed.ts + 1) == (dirty["from_ts"], dirty["to_ts"])


async def test_another_worker_takes_over_where_the_first_stopped(market: Market) -> None:
    trades = tape(market.ids[0], 6000)
    clock = iter(range(BEGAN, BEGAN + 10**12, SECOND)).__next__  # so that checkpoints are written
    async with market.writing() as writer, market.working() as connection:
        for start in range(0, len(trades), 500):
            await writer.store(trades[start : start + 500])
            await claim_all(new_claimer(clock), connection)
    assert 0 < await market.connection.fetchval("SELECT count(*) FROM checkpoints")
    assert folded_at_once(trades) == await stored(market)
    await assert_log_is_dense(market)


@pytest.mark.parametrize(("a_claim", "passing"), [(40, SECOND), (900, 0)], ids=["by age", "by ticks"])
async def test_workers_that_take_a_shard_from_each_other_leave_checkpoints(
    market: Market, a_claim: int, passing: int
) -> None:
    trades = tape(market.ids[0], 4500)
    now = BEGAN
    two = new_claimer(lambda: now), new_claimer(lambda: now)
    claimed = []
    async with market.writing() as writer, market.working() as connection:
        for start in range(0, len(trades), a_claim):
            await writer.store(trades[start : start + a_claim])
            claimed += await claim_all(two[start // a_claim % 2], connection)
            now += passing
    in_rewind = 100
    most = {40: 6 * 40, 900: 2000 + 2 * 900}[a_claim] + in_rewind
    assert all(0 < each.refolded <= most for each in claimed[1:])
    assert 1 == await market.connection.fetchval("SELECT count(*) FROM checkpoints")
    assert await market.connection.fetchval("SELECT count(*) FROM states") <= 6
    assert folded_at_once(trades) == await stored(market)


async def test_a_worker_leaves_a_shard_to_the_one_that_remembers_it_unless_it_waits(market: Market) -> None:
    move = "UPDATE batches SET created_at = created_at + $1::int * interval '1 hour'"
    mine = market.listed[0]
    theirs = next(each for each in market.listed if each.shard != mine.shard)
    async with market.writing() as writer, market.working() as connection:
        one, other = new_claimer(), new_claimer()
        for claimer, listed in ((one, mine), (other, theirs)):
            await writer.store(tape(listed.instrument_id, 9))
            await claim_all(claimer, connection)
        for listed in (theirs, mine):
            await writer.store(tape(listed.instrument_id, 99)[9:])
        await connection.execute(move, 1)
        claimed = await claim_all(one, connection, workers=2)
        assert [([mine.shard], 0)] == [(each.shards, each.refolded) for each in claimed]
        await connection.execute(move, -2)
        claimed = await claim_all(one, connection, workers=2)
        assert [([theirs.shard], 9)] == [(each.shards, each.refolded) for each in claimed]


@pytest.mark.slow
async def test_workers_and_writers_side_by_side_fold_every_tick_once(market: Market) -> None:
    """Rule 1: state read in the locking statement is older than the lock, and ticks are folded twice."""
    trades = [trade for instrument_id in market.ids for trade in tape(instrument_id, 1500)]
    trades.sort(key=lambda trade: trade.ts)
    written = asyncio.Event()
    ticks = 0

    async def write() -> None:
        async with market.writing() as first, market.writing() as second:
            for start in range(0, len(trades), 40):
                piece = trades[start : start + 40]
                await asyncio.gather(first.store(piece[::2]), second.store(piece[1::2] + piece[:4]))
        written.set()

    async def work() -> None:
        nonlocal ticks
        async with market.working() as connection:
            claimer = new_claimer()
            while not written.is_set() or await claims.oldest_batch_seconds(connection):
                claimed = await claimer.claim(connection, 4)
                ticks += claimed.ticks if claimed else 0

    await asyncio.gather(write(), work(), work(), work(), work())
    assert len(trades) == ticks
    assert folded_at_once(trades) == await stored(market)
    await assert_log_is_dense(market)


async def test_a_worker_takes_another_shard_when_the_oldest_is_held(market: Market) -> None:
    """Rule 2: with LIMIT before the lock both would look at the same shard, and the second get nothing."""
    async with (
        market.working() as first,
        market.working() as second,
        first.transaction(),
        second.transaction(),
    ):
        assert [3] == await claims.lock(first, [3, 5], 1)
        assert [5] == await claims.lock(second, [3, 5], 1)


async def test_a_claim_takes_its_share_of_the_due_shards(market: Market) -> None:
    """Rule 2."""
    shards = {each.shard for each in market.listed}
    async with market.writing() as writer, market.working() as connection:
        await writer.store([trade for instrument_id in market.ids for trade in tape(instrument_id, 2)])
        claimed = await new_claimer().claim(connection, workers=2)
    assert claimed
    assert -(-len(shards) // 2) == len(claimed.shards)


async def test_an_outage_is_worked_off_in_steps(market: Market) -> None:
    """Rule 2: at most 20,000 ticks a claim."""
    trades = tape(market.ids[0], TICKS_A_CLAIM + 5000)
    async with market.writing() as writer, market.working() as connection:
        for start in range(0, len(trades), 5000):
            await writer.store(trades[start : start + 5000])
        claimed = await claim_all(new_claimer(), connection)
    assert [TICKS_A_CLAIM, 5000] == [each.ticks for each in claimed]


async def test_a_batch_committed_after_the_read_stays_for_the_next_claim(market: Market) -> None:
    """Rule 3: exactly the batches read are deleted."""
    listed = market.listed[0]
    trades = tape(listed.instrument_id, 20)
    async with market.writing() as writer, market.working() as connection:
        await writer.store(trades[:10])
        async with connection.transaction():
            await claims.lock(connection, [listed.shard], 1)
            read = await claims.read_batches(connection, {listed.shard: {}}, 1000)
            await writer.store(trades[10:])
            await claims.advance(connection, [Advance(listed.shard, 1, Head({}, {}), read)])
        left = await claims.read_batches(connection, {listed.shard: {}}, 1000)
    assert [10] == [span.count for batch in left for span in batch.listing[listed.instrument_id]]


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [("due", "'{0}', '{0}', '{5}'"), ("batches", "'{0}', '{0}', '{0}', '{5}', 500")],
)
async def test_batches_are_looked_for_beyond_what_is_done(
    market: Market, statement: str, arguments: str
) -> None:
    """Rule 3: the index is entered at `done`, so that deleted entries are never walked."""
    await market.connection.execute(f"PREPARE looked AS {getattr(load('claims'), statement)}")
    plan = await market.connection.fetch(f"EXPLAIN EXECUTE looked ({arguments})")
    conditions = [row[0] for row in plan if "Index Cond" in row[0]]
    assert any("seq > COALESCE" in condition for condition in conditions)


@every_look
async def test_what_was_deleted_is_not_walked_though_statistics_call_the_queue_empty(
    market: Market, statement: str, arguments: str
) -> None:
    """Rule 3: beside an old snapshot nothing is removed, and a queue that keeps up is empty when analyzed."""
    async with market.working() as old, old.transaction(isolation="repeatable_read"):
        await old.execute("SELECT FROM shards")
        await market.connection.execute(LONG_PAST)
        await market.connection.execute("VACUUM ANALYZE batches, states, checkpoints")
        await market.connection.execute(f"{NEWEST}; PREPARE asked AS {getattr(load('claims'), statement)}")
        [[plan]] = await market.connection.fetch(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked ({arguments})"
        )
    assert 30 > msgspec.json.decode(plan)[0]["Plan"]["Shared Hit Blocks"]


@every_look
async def test_a_plan_of_when_the_queue_was_empty_does_not_read_all_of_it_later(
    market: Market, statement: str, arguments: str
) -> None:
    """Rule 3: vacuum leaves no page of what was emptied; a plan made then is kept."""
    await market.connection.execute(LONG_PAST)
    await market.connection.execute("DELETE FROM states; DELETE FROM checkpoints")
    await market.connection.execute("VACUUM ANALYZE batches, states, checkpoints")
    async with market.working() as connection:
        await connection.execute(
            f"SET plan_cache_mode = force_generic_plan; PREPARE asked AS {getattr(load('claims'), statement)}"
        )
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE asked ({arguments})"))
    assert re.search(r"Index (Only )?Scan", plan)
    assert not re.search(r"(Seq|Bitmap Heap) Scan on (batches|states|checkpoints)", plan)


async def test_what_is_due_says_where_each_writer_goes_on(market: Market) -> None:
    """Rule 3: so that what others have folded and deleted is not walked either."""
    [shard] = {market.listed[0].shard}
    rows = [(shard, writer, seq) for writer, seq in ((0, 7), (0, 8), (1, 3))]
    await market.connection.execute("INSERT INTO writers VALUES (0), (1)")
    await market.connection.executemany(
        "INSERT INTO batches VALUES ($1, $2, $3, 1, '', clock_timestamp())", rows
    )
    [due] = await claims.due(market.connection, {})
    assert {0: 7, 1: 3} == dict(zip(due.writers, due.seqs, strict=True))
    [due] = await claims.due(market.connection, {shard: {0: 7, 1: 3}})
    assert {0: 8} == dict(zip(due.writers, due.seqs, strict=True))


async def test_a_second_fold_of_the_same_version_is_refused(market: Market) -> None:
    """Rule 4: state is appended under its version."""
    async with market.working() as connection:
        await claims.advance(connection, [Advance(0, 1, Head({}, {}), [])])
        with pytest.raises(StoreConflictError):
            await claims.advance(connection, [Advance(0, 1, Head({}, {}), [])])


async def test_lock_rows_and_states_are_never_updated(market: Market) -> None:
    """Rule 4: an updated row rots under anybody's old snapshot."""
    places = "SELECT shard, ctid::text, xmin::text FROM shards ORDER BY shard"
    before = await market.connection.fetch(places)
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for start in range(5):
            await writer.store(tape(market.ids[0], 50)[start * 10 : start * 10 + 10])
            await claim_all(claimer, connection)
    assert before == await market.connection.fetch(places)
    shard = market.listed[0].shard
    versions = await market.connection.fetch("SELECT version FROM states WHERE shard = $1 ORDER BY 1", shard)
    assert [1, 2, 3, 4, 5] == [row["version"] for row in versions]


async def test_a_claim_writes_little(market: Market) -> None:
    """Rule 5: no whole state, no running bar; about 2 kB a shard even with 40 instruments."""
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await writer.store([trade for instrument_id in market.ids for trade in tape(instrument_id, 40)])
        await claim_all(claimer, connection)
    largest = await market.connection.fetchval("SELECT max(length(head)) FROM states")
    instruments_a_shard = max(
        sum(each.shard == other.shard for other in market.listed) for each in market.listed
    )
    assert largest <= 2000 // 40 * instruments_a_shard + 20
    assert 0 == await market.connection.fetchval("SELECT count(*) FROM checkpoints")


async def test_a_failed_claim_leaves_nothing_and_is_repeated_exactly(market: Market) -> None:
    trades = tape(market.ids[0], 3000)
    async with market.writing() as writer:
        await writer.store(trades)
        async with market.working() as connection:
            broken = new_claimer()
            await market.connection.execute("ALTER TABLE states ADD CONSTRAINT never CHECK (version < 0)")
            with pytest.raises(StoreError, match="never"):
                await broken.claim(connection, 1)
            assert 0 == await market.connection.fetchval("SELECT count(*) FROM publications")
            await market.connection.execute("ALTER TABLE states DROP CONSTRAINT never")
            await claim_all(broken, connection)
    assert folded_at_once(trades) == await stored(market)


async def test_a_machine_out_of_memory_leaves_nothing_and_takes_half_next_time(market: Market) -> None:
    hungry = Hungry(KINDS)
    claimer = Claimer(hungry, lambda: BEGAN, "test")
    trades = tape(market.ids[0], 8000)
    async with market.writing() as writer, market.working() as connection:
        for start in range(0, len(trades), 500):
            await writer.store(trades[start : start + 500])
        for _ in range(3):
            with pytest.raises(MemoryError):
                await claimer.claim(connection, 1)
        claimed = await claim_all(claimer, connection)
    assert TICKS_A_CLAIM // 8 == claimed[0].ticks
    assert folded_at_once(trades) == await stored(market)


class Hungry(Folder):
    """A folder on a machine that has memory for few ticks at a time."""

    def fold(self, state: InstrumentState, ticks: Sequence[Tick]) -> Folded:
        if len(ticks) > TICKS_A_CLAIM // 8:
            raise MemoryError
        return super().fold(state, ticks)
