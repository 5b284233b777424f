"""The backfill pool rebuilds the bars of dirty intervals, beside the live pool."""

from db.connections import connected
from db.outcomes import DirtyInterval, mark_dirty
from market.times import MINUTE, SECOND, floor
from tests.workers.market import BEGAN, Market, claim_all, new_claimer, tape
from workers.backfill import BackfillWorker
from workers.settings import WorkerSettings

BARS = "SELECT * FROM bars WHERE interval_seconds < 3600 ORDER BY instrument_id, interval_seconds, start"


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
    assert 2 == await repaired(market)
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
    await mark_dirty(market.connection, [DirtyInterval(market.ids[0], 1, BEGAN, BEGAN + SECOND)], "asked")
    async with connected(market.url, "another") as another, another.transaction():
        assert await another.fetch("SELECT * FROM dirty FOR UPDATE")
        assert 0 == await repaired(market)
    assert 1 == await repaired(market)
