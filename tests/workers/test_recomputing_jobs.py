"""What is stored is computed again when it is asked for: what was wrong is right, all else is as it was."""

import pytest

from db import asked
from heliograph.recomputing import Wanted, enqueue, kind_named, ranges_of
from market.coverage import Interval
from market.errors import InvalidInputError, UnknownInstrumentError
from market.times import HOUR, SECOND
from tests.workers.market import (
    BEGAN,
    Market,
    apply_all,
    claim_all,
    content,
    new_backfill,
    new_claimer,
    tape,
)
from workers.claiming import Claimer

pytestmark = pytest.mark.slow

ALL = Wanted(None, (), None, BEGAN + HOUR)


async def told(market: Market, claimer: Claimer) -> None:
    """Have tapes of two instruments stored and told."""
    async with market.writing() as writer, market.working() as connection:
        for one in market.ids[:2]:
            await writer.store(tape(one, 4000))
        await claim_all(claimer, connection)


async def recomputed(market: Market, claimer: Claimer) -> None:
    """Work until nothing is left of it."""
    worker = new_backfill(market.url)
    async with market.working() as connection, market.repairing() as repairing:
        while await worker.work(repairing):
            await apply_all(claimer, connection)


async def enqueued(market: Market, wanted: Wanted) -> int:
    fold = kind_named(wanted.kind) if wanted.kind else None
    ranges = await ranges_of(market.connection, wanted, fold)
    async with market.connection.transaction():
        return await enqueue(market.connection, ranges)


async def test_what_was_wrong_is_right_again(market: Market) -> None:
    claimer = new_claimer()
    await told(market, claimer)
    before = [await content(market, one) for one in market.ids[:2]]
    await market.connection.execute("UPDATE bars SET volume = 0 WHERE instrument_id = $1", market.ids[0])
    await market.connection.execute("UPDATE indicators SET confidence = 0.125")
    job_id = await enqueued(market, ALL)
    await recomputed(market, claimer)
    after = [await content(market, one) for one in market.ids[:2]]
    for name in ("bars", "signals", "indicators"):
        assert [each[name] for each in before] == [each[name] for each in after]
    done = await asked.job(market.connection, job_id)
    assert (done.kind, done.state) == ("recompute", "done")


async def test_a_paused_recomputation_hands_nothing_on(market: Market) -> None:
    claimer = new_claimer()
    await told(market, claimer)
    job_id = await enqueued(market, ALL)
    await asked.change(market.connection, "pause", job_id)
    assert not await asked.hand_on(market.connection)
    await asked.change(market.connection, "resume", job_id)
    assert await asked.hand_on(market.connection)
    assert (await asked.job(market.connection, job_id)).state == "running"


async def test_a_piece_is_handed_on_when_the_one_before_it_is_computed(market: Market) -> None:
    claimer = new_claimer()
    await told(market, claimer)
    async with market.connection.transaction():
        ranges = [(market.listed[0], Interval(BEGAN, BEGAN + 13 * HOUR))]
        job_id = await enqueue(market.connection, ranges)
    assert [await asked.hand_on(market.connection) for _ in range(2)] == [True, False]
    await market.connection.execute("DELETE FROM dirty")
    assert await asked.hand_on(market.connection)
    assert (await asked.job(market.connection, job_id)).done == 2


async def test_what_live_never_came_to_is_left_out(market: Market) -> None:
    await told(market, new_claimer())
    async with market.writing() as writer:
        await writer.store(tape(market.ids[2], 10))
    ranges = await ranges_of(market.connection, ALL, None)
    assert market.ids[:2] == [listed.instrument_id for listed, _ in ranges]
    assert all(BEGAN < range_.to_ts < BEGAN + HOUR for _, range_ in ranges)


async def test_a_kind_is_computed_again_since_it_was_told_by_another_version(market: Market) -> None:
    await told(market, new_claimer())
    one, fetch = market.ids[0], market.connection.fetchval
    kind = await fetch("SELECT kind FROM indicators WHERE instrument_id = $1 ORDER BY kind LIMIT 1", one)
    wanted = Wanted(kind, [market.listed[0].instrument.key], None, BEGAN + HOUR)
    assert [] == await ranges_of(market.connection, wanted, kind_named(kind))
    since = await fetch("SELECT max(ts) FROM indicators WHERE instrument_id = $1 AND kind = $2", one, kind)
    changed = "UPDATE indicators SET version = 99 WHERE instrument_id = $1 AND kind = $2 AND ts = $3"
    await market.connection.execute(changed, one, kind, since)
    [(_, range_)] = await ranges_of(market.connection, wanted, kind_named(kind))
    assert range_.from_ts == since


async def test_a_kind_that_was_never_told_is_computed_from_the_beginning_on(market: Market) -> None:
    claimer = new_claimer()
    await told(market, claimer)
    await market.connection.execute("DELETE FROM indicators WHERE kind = 'rsi'")
    await market.connection.execute("DELETE FROM signals WHERE kind = 'rsi'")
    found = await ranges_of(market.connection, Wanted("rsi", (), None, BEGAN + HOUR), kind_named("rsi"))
    assert set(market.ids[:2]) == {listed.instrument_id for listed, _ in found}
    assert all(range_.from_ts <= BEGAN + SECOND for _, range_ in found)


async def test_what_is_not_there_is_refused(market: Market) -> None:
    with pytest.raises(UnknownInstrumentError, match="nothing is stored of 'kraken:NO/NO'"):
        await ranges_of(market.connection, Wanted(None, ["kraken:NO/NO"], None, BEGAN), None)
    with pytest.raises(InvalidInputError, match="did you mean rsi"):
        kind_named("rsii")
