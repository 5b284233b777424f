"""The backfill pool rebuilds the bars of dirty intervals, beside the live pool."""

import random

import pytest

from db.connections import connected
from db.outcomes import DirtyInterval, mark_dirty
from market.depths import Depth
from market.times import HOUR, MINUTE, SECOND, floor
from market.trades import Side, Trade
from market.watermarks import Watermark
from tests.workers.market import (
    BEGAN,
    EVERY_BAR,
    Market,
    claim_all,
    folded_at_once,
    new_claimer,
    stored,
    tape,
)
from workers.backfill import BackfillWorker
from workers.settings import WorkerSettings

BARS = "SELECT * FROM bars ORDER BY instrument_id, interval_seconds, start"
DIRTY = "SELECT interval_seconds, from_ts, to_ts FROM dirty ORDER BY 1, 2"
MINUTE_BEGAN = floor(BEGAN, MINUTE)
HOUR_ENDED = floor(BEGAN, HOUR) + HOUR


def one(market: Market, seconds: float, trade_id: int) -> Trade:
    """A trade so many seconds into the minute in which tapes begin."""
    ts = MINUTE_BEGAN + int(seconds * SECOND)
    return Trade(market.ids[0], ts, trade_id, 100.0, 1.0, Side.BUY, ts)


def passed(market: Market, ts: int) -> Watermark:
    return Watermark(market.ids[0], ts, ts)


async def of_bar(market: Market, seconds: int, start: int) -> tuple[int, str]:
    """How many trades a bar has, and where it is from."""
    row = await market.connection.fetchrow(
        f"{EVERY_BAR} WHERE interval_seconds = $1 AND start = $2", seconds, start
    )
    assert row
    return row["trades"], row["source"]


async def repaired(market: Market) -> int:
    worker = BackfillWorker(market.url, WorkerSettings())
    intervals = 0
    async with market.working() as connection:
        while done := await worker.repair(connection):
            intervals += done
    return intervals


async def test_bars_of_a_late_trade_are_rebuilt_as_if_it_had_been_in_time(market: Market) -> None:
    trades = tape(market.ids[0], 3000)
    late = trades.pop(300)
    async with market.writing() as writer, market.working() as connection:
        await writer.store(trades)
        claimer = new_claimer()
        await claim_all(claimer, connection)
        await writer.store([late])
        await claim_all(claimer, connection)
    assert 3 == await repaired(market)
    rebuilt = await market.connection.fetchrow(
        "SELECT * FROM bars WHERE interval_seconds = 1 AND start = $1", floor(late.ts, SECOND)
    )
    own = sorted([*trades, late], key=lambda trade: trade.tape_key)
    own = [trade for trade in own if floor(trade.ts, SECOND) == floor(late.ts, SECOND)]
    volume = 0.0
    for trade in own:
        volume += trade.size
    assert rebuilt
    assert (len(own), volume, own[0].price, own[-1].price, "backfill") == tuple(
        rebuilt[column] for column in ("trades", "volume", "open", "close", "source")
    )


async def test_a_bar_that_still_runs_stays_dirty_until_live_has_left_it(market: Market) -> None:
    trades = tape(market.ids[0], 3000)
    late = trades.pop(300)
    async with market.writing() as writer, market.working() as connection:
        await writer.store(trades)
        claimer = new_claimer()
        await claim_all(claimer, connection)
        await writer.store([late])
        await claim_all(claimer, connection)
    await repaired(market)
    left = await market.connection.fetch("SELECT interval_seconds FROM dirty")
    assert [3600] == [row["interval_seconds"] for row in left]


async def test_rebuilding_what_was_right_changes_no_bar(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 3000))
        await claim_all(new_claimer(), connection)
    before = [dict(row) | {"source": ""} for row in await market.connection.fetch(BARS)]
    start = floor(BEGAN, MINUTE)
    await mark_dirty(
        market.connection,
        [DirtyInterval(market.ids[0], seconds, start, start + MINUTE) for seconds in (1, 60)],
        "asked",
    )
    assert 2 == await repaired(market)
    assert before == [dict(row) | {"source": ""} for row in await market.connection.fetch(BARS)]


async def test_an_interval_that_another_worker_repairs_is_passed_over(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 3000))
        await claim_all(new_claimer(), connection)
    await mark_dirty(market.connection, [DirtyInterval(market.ids[0], 1, BEGAN, BEGAN + SECOND)], "asked")
    async with connected(market.url, "another") as another, another.transaction():
        assert await another.fetch("SELECT * FROM dirty FOR UPDATE")
        assert 0 == await repaired(market)
    assert 1 == await repaired(market)


# What live has not left is not repaired


async def test_no_bar_is_repaired_that_live_has_not_closed_however_young_the_instrument(
    market: Market,
) -> None:
    trades = [one(market, 30 + second, second) for second in range(100)]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for part in (trades[:1], [one(market, 25, 900)]):
            await writer.store(part)
            await claim_all(claimer, connection)
        assert 1 == await repaired(market)
        assert [1] == [row["interval_seconds"] for row in await market.connection.fetch("SELECT * FROM bars")]
        await writer.store(trades[1:])
        await claim_all(claimer, connection)
        await repaired(market)
    assert (31, "backfill") == await of_bar(market, 60, MINUTE_BEGAN)
    assert [3600] == [row["interval_seconds"] for row in await market.connection.fetch(DIRTY)]


async def test_a_pair_that_stops_trading_is_repaired_when_its_venues_time_has_passed(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for part in ([one(market, 30, 1)], [one(market, 40, 2)], [one(market, 29, 3)]):
            await writer.store(part)
            await claim_all(claimer, connection)
        await repaired(market)
        assert [60, 300, 3600] == [row["interval_seconds"] for row in await market.connection.fetch(DIRTY)]
        for seconds in (0, 1, 2, 3):
            await writer.store(watermarks=[passed(market, HOUR_ENDED + seconds * SECOND)])
            await claim_all(claimer, connection)
    assert 3 == await repaired(market)
    assert (3, "backfill") == await of_bar(market, 3600, HOUR_ENDED - HOUR)


async def test_folding_again_never_undoes_a_repair(market: Market) -> None:
    """On a sparse tape the state to go back to lies further back than two seconds."""
    arriving = [(30, 1), (40.5, 2), (42.5, 3), (40.05, 4), (43, 5), (41.5, 6), (44.6, 7), (43.5, 8)]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for seconds, trade_id in arriving:
            await writer.store([one(market, seconds, trade_id)])
            await claim_all(claimer, connection)
            await repaired(market)
    assert (2, "backfill") == await of_bar(market, 1, MINUTE_BEGAN + 40 * SECOND)


async def test_a_worker_that_takes_over_leaves_to_repairs_what_the_one_before_left(market: Market) -> None:
    """It folds a late trade that the other one had not, in a second that only a book had passed."""

    def book(seconds: float) -> list[Depth]:
        ts = MINUTE_BEGAN + int(seconds * SECOND)
        return [Depth(market.ids[0], ts, ts, (99.0,), (1.0,), (101.0,), (1.0,), ts)]

    closed = [passed(market, MINUTE_BEGAN + 44 * SECOND)]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for trades, watermarks, depths in (
            ([one(market, 41, 1)], closed, book(45.3)),
            ([], [], book(47.5)),
            ([one(market, 44.5, 2)], [], []),
        ):
            await writer.store(trades, watermarks, depths)
            await claim_all(claimer, connection)
        assert 1 == await repaired(market)
        await writer.store([one(market, 48, 3)])
        await claim_all(new_claimer(), connection)
    assert (1, "backfill") == await of_bar(market, 1, MINUTE_BEGAN + 44 * SECOND)
    assert [60, 300, 3600] == [row["interval_seconds"] for row in await market.connection.fetch(DIRTY)]


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_comes_late_and_whoever_folds_it_the_bars_end_up_right(
    market: Market, seed: int
) -> None:
    chance = random.Random(seed)
    spacing = chance.choice((SECOND // 5, 2 * SECOND))
    trades = tape(market.ids[0], 150, seed=seed, spacing=spacing)
    late = {trade.trade_id: chance.choice((0, 0, 1, 3, 30)) * SECOND for trade in trades}
    arriving = sorted(trades, key=lambda trade: trade.ts + late[trade.trade_id])
    now = BEGAN
    claimers = [new_claimer(lambda: now) for _ in range(3)]
    async with market.writing() as writer, market.working() as connection:
        while arriving:
            part, arriving = arriving[:4], arriving[4:]
            await writer.store(part)
            await claim_all(chance.choice(claimers), connection)
            now += SECOND
            if chance.random() < 0.5:
                await repaired(market)
        ends = [passed(market, HOUR_ENDED + seconds * SECOND) for seconds in (1, 5)]
        for end in ends:
            await writer.store(watermarks=[end])
            await claim_all(claimers[0], connection)
    await repaired(market)
    assert 0 == await market.connection.fetchval("SELECT count(*) FROM dirty")
    assert folded_at_once([*trades, *ends])[0] == (await stored(market))[0]


async def test_live_never_waits_for_a_repair_that_is_not_committed(market: Market) -> None:
    trades = tape(market.ids[0], 3000)
    late = trades.pop(300), trades.pop(300)
    ends = [passed(market, HOUR_ENDED + seconds * SECOND) for seconds in (1, 5)]
    async with market.writing() as writer, market.working() as connection, market.working() as repairing:
        await connection.execute("SET lock_timeout = '1ms'")
        claimer = new_claimer()
        for part in (trades[:1500], late[:1]):
            await writer.store(part)
            await claim_all(claimer, connection)
        async with repairing.transaction():
            assert 3 == await BackfillWorker(market.url, WorkerSettings()).repair(repairing)
            for part in (trades[1500:2000], late[1:], trades[2010:], trades[2000:2010]):
                await writer.store(part)
                await claim_all(claimer, connection)
            await writer.store(watermarks=ends)
            await claim_all(claimer, connection)
    assert 0 < await repaired(market)
    assert folded_at_once([*trades, *late, *ends])[0] == (await stored(market))[0]


async def test_a_bar_that_stood_already_is_computed_again(market: Market) -> None:
    trades = tape(market.ids[0], 100)
    await market.connection.execute(
        "INSERT INTO bars VALUES ($1, 1, $2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'backfill')",
        market.ids[0],
        floor(trades[0].ts, SECOND),
    )
    async with market.writing() as writer, market.working() as connection:
        await writer.store(trades)
        await claim_all(new_claimer(), connection)
    assert 1 == await repaired(market)
    bars, _ = folded_at_once(trades)
    assert bars == (await stored(market))[0]


# What is asked for often is computed once


async def test_an_hour_is_repaired_once_however_many_trades_of_it_came_late(market: Market) -> None:
    trades = tape(market.ids[0], 3000)
    late, intime = trades[300:900:3], [*trades[:300], *trades[302:900:3], *trades[301:900:3], *trades[900:]]
    ends = [passed(market, HOUR_ENDED + seconds * SECOND) for seconds in (1, 5)]
    worker = BackfillWorker(market.url, WorkerSettings())
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await writer.store(sorted(intime, key=lambda trade: trade.ts))
        await writer.store(watermarks=ends)
        await claim_all(claimer, connection)
        for trade in late:
            await writer.store([trade])
            await claim_all(claimer, connection)
        assert 4 * len(late) == await worker.repair(connection)
        assert 0 == await worker.repair(connection)
    assert len({floor(trade.ts, SECOND) for trade in late}) < worker.totals.bars < len(late)
    assert folded_at_once([*trades, *ends])[0] == (await stored(market))[0]


async def test_an_interval_that_still_runs_is_asked_for_once(market: Market) -> None:
    trades = tape(market.ids[0], 3000)
    late = trades[300:400:7]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for part in ([trade for trade in trades if trade not in late], *([trade] for trade in late)):
            await writer.store(part)
            await claim_all(claimer, connection)
    rows = await market.connection.fetch(DIRTY)
    assert 1 == [row["interval_seconds"] for row in rows].count(3600)
    assert len(late) == [row["interval_seconds"] for row in rows].count(60)


async def test_a_long_interval_is_repaired_hour_by_hour_the_newest_first(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection:
        ends = [passed(market, HOUR_ENDED + seconds * SECOND) for seconds in (1, 5)]
        await writer.store(tape(market.ids[0], 100), ends)
        await claim_all(new_claimer(), connection)
        since = HOUR_ENDED - 3 * HOUR
        long = [DirtyInterval(market.ids[0], seconds, since, HOUR_ENDED) for seconds in (1, 3600)]
        await mark_dirty(connection, long, "asked")
        worker = BackfillWorker(market.url, WorkerSettings())
        for left in (2, 1):
            assert 2 == await worker.repair(connection)
            rows = await connection.fetch(DIRTY)
            assert {(since, since + left * HOUR)} == {(row["from_ts"], row["to_ts"]) for row in rows}
        assert 2 == await worker.repair(connection)
        assert [] == await connection.fetch(DIRTY)
