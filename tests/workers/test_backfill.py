"""The backfill pool computes again what is dirty, beside the live pool."""

import random

import pytest

from db import dirty, retention
from db.connections import connected
from db.dirty import DirtyInterval
from db.partitions import day_of, ensure_days
from market.depths import Depth
from market.times import DAY, HOUR, MINUTE, SECOND, floor
from market.trades import Side, Trade
from market.watermarks import Watermark
from tests.workers.market import (
    BEGAN,
    EVERY_BAR,
    Market,
    apply_all,
    claim_all,
    folded_at_once,
    new_backfill,
    new_claimer,
    repair_all,
    stored,
    tape,
)
from workers.claiming import Claimer

pytestmark = pytest.mark.slow

BARS = "SELECT * FROM bars ORDER BY instrument_id, interval_seconds, start"
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


async def repaired(market: Market, claimer: Claimer) -> int:
    """Compute again what is dirty and apply it; return how many rows asked for it."""
    async with market.working() as connection:
        rows = await repair_all(market, connection)
        await apply_all(claimer, connection)
    return rows


async def test_bars_of_a_late_trade_are_rebuilt_as_if_it_had_been_in_time(market: Market) -> None:
    trades = tape(market.ids[0], 3000)
    late = trades.pop(300)
    async with market.writing() as writer, market.working() as connection:
        await writer.store(trades)
        claimer = new_claimer()
        await claim_all(claimer, connection)
        await writer.store([late])
        await claim_all(claimer, connection)
    assert 1 == await repaired(market, claimer)
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


async def test_a_bar_that_still_runs_takes_in_what_came_late(market: Market) -> None:
    trades = [one(market, 30 + second, second) for second in range(100)]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for part in (trades[:20], [one(market, 25, 900)], trades[20:]):
            await writer.store(part)
            await claim_all(claimer, connection)
            await repaired(market, claimer)
    assert (1, "backfill") == await of_bar(market, 1, MINUTE_BEGAN + 25 * SECOND)
    assert (31, "live") == await of_bar(market, 60, MINUTE_BEGAN)


async def test_rebuilding_what_was_right_changes_no_bar(market: Market) -> None:
    claimer = new_claimer()
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 3000))
        await claim_all(claimer, connection)
    before = await market.connection.fetch(BARS)
    start = floor(BEGAN, MINUTE)
    await dirty.mark(market.connection, [DirtyInterval(market.ids[0], start, start + MINUTE)], "asked")
    assert 1 == await repaired(market, claimer)
    assert before == await market.connection.fetch(BARS)


async def test_what_was_told_of_days_that_were_dropped_stands_whatever_is_asked_for(market: Market) -> None:
    """With and without ticks left before and after them, and as a part of such a day was fetched again."""
    claimer, one_id = new_claimer(), market.ids[0]
    day = floor(BEGAN, DAY)
    trades = [
        Trade(one_id, day + number * DAY + second * SECOND, second + 1, 100.0 + second, 1.0, Side.BUY, day)
        for number in range(4)
        for second in range(0, 600, 2)
    ]
    async with market.writing() as writer, market.working() as connection:
        await ensure_days(market.connection, [day_of(day + number * DAY) for number in range(4)])
        await writer.store(trades)
        await claim_all(claimer, connection)
        before = await stored(market)
        async with connected(market.url, "retention") as other:
            await dirty.mark(other, [DirtyInterval(one_id, day, day + SECOND)], "holds")
            await other.execute(
                "INSERT INTO feeds (exchange, symbol, state) SELECT exchanges.name, symbol, 'active' "
                "FROM instruments JOIN exchanges USING (exchange_id) WHERE instrument_id = $1",
                one_id,
            )
            dropped = await retention.drop(other, {"trades": day_of(day + 3 * DAY)})
        assert 2 == len(dropped or ())
        await market.connection.execute("DELETE FROM dirty")
        await ensure_days(market.connection, [day_of(day + DAY)])
        await writer.store([trades[400]])
        await claim_all(claimer, connection)
        starts = [day + number * DAY for number in range(4)]
        asked = [DirtyInterval(one_id, start, start + 10 * MINUTE) for start in starts]
        await dirty.mark(market.connection, asked, "asked")
        while await repaired(market, claimer):
            pass
    assert before == await stored(market)


async def test_an_interval_that_another_worker_repairs_is_passed_over(market: Market) -> None:
    claimer = new_claimer()
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 3000))
        await claim_all(claimer, connection)
    await dirty.mark(market.connection, [DirtyInterval(market.ids[0], BEGAN, BEGAN + SECOND)], "asked")
    async with connected(market.url, "another") as another, another.transaction():
        assert await another.fetch("SELECT * FROM dirty FOR UPDATE")
        assert 0 == await repaired(market, claimer)
    assert 1 == await repaired(market, claimer)


async def test_what_live_has_not_come_to_waits(market: Market) -> None:
    """Of an instrument that live has not begun with, and of one whose time has not come."""
    claimer = new_claimer()
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 100))
        await claim_all(claimer, connection)
    to_come = DirtyInterval(market.ids[0], BEGAN + HOUR, BEGAN + HOUR + SECOND)
    unknown = DirtyInterval(market.ids[1], BEGAN, BEGAN + SECOND)
    await dirty.mark(market.connection, [to_come, unknown], "asked")
    assert 0 == await repaired(market, claimer)


async def test_repairs_wait_while_live_lags(market: Market) -> None:
    worker = new_backfill(market.url)
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 100))
        assert not await worker.has_to_wait(connection)
        await connection.execute("UPDATE batches SET created_at = created_at - interval '1 minute'")
        assert await worker.has_to_wait(connection)


async def test_a_pair_that_stops_trading_is_repaired_all_the_same(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for part in ([one(market, 30, 1)], [one(market, 40, 2)], [one(market, 29, 3)]):
            await writer.store(part)
            await claim_all(claimer, connection)
        assert 1 == await repaired(market, claimer)
        for seconds in (0, 1, 2, 3):
            await writer.store(watermarks=[passed(market, HOUR_ENDED + seconds * SECOND)])
            await claim_all(claimer, connection)
    assert (3, "live") == await of_bar(market, 3600, HOUR_ENDED - HOUR)


async def test_folding_again_never_undoes_a_repair(market: Market) -> None:
    """On a sparse tape the state to go back to lies further back than two seconds."""
    arriving = [(30, 1), (40.5, 2), (42.5, 3), (40.05, 4), (43, 5), (41.5, 6), (44.6, 7), (43.5, 8)]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for seconds, trade_id in arriving:
            await writer.store([one(market, seconds, trade_id)])
            await claim_all(claimer, connection)
            await repaired(market, claimer)
    assert 2 == (await of_bar(market, 1, MINUTE_BEGAN + 40 * SECOND))[0]


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
        assert 1 == await repaired(market, claimer)
        await writer.store([one(market, 48, 3)])
        await claim_all(new_claimer(), connection)
    assert 1 == (await of_bar(market, 1, MINUTE_BEGAN + 44 * SECOND))[0]
    assert 0 == await market.connection.fetchval("SELECT count(*) FROM dirty")


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_comes_late_and_whoever_folds_it_all_ends_up_right(market: Market, seed: int) -> None:
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
                await repaired(market, chance.choice(claimers))
        ends = [passed(market, HOUR_ENDED + seconds * SECOND) for seconds in (1, 5)]
        for end in ends:
            await writer.store(watermarks=[end])
            await claim_all(claimers[0], connection)
    await repaired(market, claimers[0])
    assert 0 == await market.connection.fetchval("SELECT count(*) FROM dirty")
    assert folded_at_once([*trades, *ends]) == await stored(market)


async def test_live_never_waits_for_a_repair_that_is_not_committed(market: Market) -> None:
    trades = tape(market.ids[0], 3000)
    late = trades.pop(300), trades.pop(300)
    ends = [passed(market, HOUR_ENDED + seconds * SECOND) for seconds in (1, 5)]
    async with market.writing() as writer, market.working() as connection, market.repairing() as repairing:
        await connection.execute("SET lock_timeout = '1ms'")
        claimer = new_claimer()
        for part in (trades[:1500], late[:1]):
            await writer.store(part)
            await claim_all(claimer, connection)
        async with repairing.transaction():
            assert 1 == await new_backfill(market.url).repair(repairing)
            for part in (trades[1500:2000], late[1:], trades[2010:], trades[2000:2010]):
                await writer.store(part)
                await claim_all(claimer, connection)
                assert await claimer.apply(connection, 1) is None
            await writer.store(watermarks=ends)
            await claim_all(claimer, connection)
    assert 0 < await repaired(market, claimer)
    assert folded_at_once([*trades, *late, *ends]) == await stored(market)


async def test_a_bar_that_stood_already_is_computed_again(market: Market) -> None:
    trades = tape(market.ids[0], 100)
    await market.connection.execute(
        "INSERT INTO bars VALUES ($1, 1, $2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'backfill')",
        market.ids[0],
        floor(trades[0].ts, SECOND),
    )
    claimer = new_claimer()
    async with market.writing() as writer, market.working() as connection:
        await writer.store(trades)
        await claim_all(claimer, connection)
    assert 1 == await repaired(market, claimer)
    bars, _ = folded_at_once(trades)
    assert bars == (await stored(market))[0]
