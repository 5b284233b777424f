"""What came late, or was filled in, is repaired: in the end all is as if it had come in time."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from db import dirty
from db.dirty import DirtyInterval
from db.staged import Staged
from market.depths import Depth
from market.times import HOUR, MINUTE, SECOND, floor
from market.trades import Trade
from market.watermarks import Watermark
from tests.workers.market import (
    BEGAN,
    FOLDER,
    Market,
    Writer,
    apply_all,
    claim_all,
    content,
    fill,
    new_backfill,
    new_claimer,
    repair_all,
    settle,
    tape,
)
from tests.workers.test_folding import recorded_trades
from workers import repairs
from workers.folding import Folder
from workers.portions import TICKS_A_CLAIM

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from db.connections import Connection

LOG = (
    'SELECT op, revises, about, ts, data FROM publications WHERE instrument_id = $1 ORDER BY family, "offset"'
)


@dataclass(frozen=True)
class Cut:
    """A tape without one of its minutes, that minute, and its whole twin."""

    before: Sequence[Trade]
    missing: Sequence[Trade]
    after: Sequence[Trade]
    twin: Sequence[Trade]


def cut(market: Market, *, trades: int, minute: int, spacing: int = SECOND // 20, seed: int = 7) -> Cut:
    own = tape(market.ids[0], trades, seed, spacing)
    from_ts = BEGAN + minute * MINUTE
    return Cut(
        [trade for trade in own if trade.ts < from_ts],
        [trade for trade in own if from_ts <= trade.ts < from_ts + MINUTE],
        [trade for trade in own if trade.ts >= from_ts + MINUTE],
        [msgspec.structs.replace(trade, instrument_id=market.ids[1]) for trade in own],
    )


async def store(writer: Writer, trades: Sequence[Trade], claim: int = 700) -> None:
    for start in range(0, len(trades), claim):
        await writer.store(trades[start : start + claim])


async def pass_time(writer: Writer, ts: int) -> None:
    """Let the venue's time pass, so that every bar before it is final."""
    for second in range(4):
        marks = [Watermark(i, ts + second * SECOND, ts) for i in writer.market.ids[:2]]
        await writer.store(watermarks=marks)


def book(instrument_id: int, ts: int) -> Depth:
    return Depth(instrument_id, ts, ts, (99.0,), (1.0,), (101.0,), (1.0,), ts)


async def assert_like_its_twin(market: Market) -> None:
    one, other = [await content(market, each) for each in market.ids[:2]]
    assert other["signals"]
    assert other["indicators"]
    assert other == one


@pytest.mark.parametrize(
    ("trades", "minute", "spacing", "reaches"),
    [(9000, 3, SECOND // 20, True), (7000, 21, SECOND, False)],
    ids=["up to live", "long forgotten"],
)
async def test_a_minute_that_is_filled_in_is_as_if_it_had_never_been_missing(
    market: Market, *, trades: int, minute: int, spacing: int, reaches: bool
) -> None:
    tapes = cut(market, trades=trades, minute=minute, spacing=spacing)
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await store(writer, [*tapes.before, *tapes.after])
        await store(writer, tapes.twin)
        await claim_all(claimer, connection)
        before = await content(market, market.ids[0])
        await fill(market, tapes.missing)
        await repair_all(market, connection)
        assert reaches == replaces(await last_staged(market))
        assert not any(each.dropped for each in await apply_all(claimer, connection))
        assert before != await content(market, market.ids[0])
        await assert_like_its_twin(market)
        await go_on(market, writer, trades, spacing)
        await claim_all(claimer, connection)
    await assert_like_its_twin(market)
    log = await market.connection.fetch(LOG, market.ids[0])
    assert any(row["revises"] is not None for row in log)


async def test_what_is_filled_in_beyond_live_is_not_forgotten(market: Market) -> None:
    """Live reads on only what its batches list: here marks of time, and no trades."""
    tapes = cut(market, trades=4000, minute=1)
    inside, ended = tapes.missing[400].ts, tapes.missing[-1].ts
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await store(writer, tapes.before)
        await writer.store(watermarks=[Watermark(market.ids[0], inside, inside)])
        await claim_all(claimer, connection)
        await fill(market, tapes.missing)
        await repair_all(market, connection)
        await apply_all(claimer, connection)
        await writer.store(watermarks=[Watermark(market.ids[0], ended, ended)])
        await claim_all(claimer, connection)
        await store(writer, [*tapes.after, *tapes.twin])
        await pass_time(writer, floor(tapes.twin[-1].ts, HOUR) + HOUR)
        await settle(market, claimer, connection)
    assert 0 == await market.connection.fetchval("SELECT count(*) FROM dirty")
    await assert_like_its_twin(market)


@pytest.mark.parametrize("takes_over", [False, True], ids=["in place", "after a takeover"])
async def test_what_was_not_final_when_a_feed_broke_off_is_told_with_what_fills_its_gap(
    market: Market, *, takes_over: bool
) -> None:
    """Its bar, and the minute's, end with the first trade of the gap, which comes late."""
    trades = tape(market.ids[0], 3000)
    last = BEGAN + MINUTE - 2 * SECOND
    before = [trade for trade in trades if trade.ts < last - SECOND]
    missing = [trade for trade in trades if last + 3 * SECOND <= trade.ts < last + 20 * SECOND]
    after = [trade for trade in trades if trade.ts >= last + 25 * SECOND]
    whole = [*before, *missing, *after]
    twin = [msgspec.structs.replace(each, instrument_id=market.ids[1]) for each in whole]
    heard = [last + 22 * SECOND, last + 23 * SECOND]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await store(writer, before)
        await writer.store(depths=[book(market.ids[0], heard[0])])
        await claim_all(claimer, connection)
        await fill(market, missing)
        if takes_over:
            claimer = new_claimer()
            await writer.store(depths=[book(market.ids[0], heard[1])])
            await claim_all(claimer, connection)
        await repair_all(market, connection)
        await apply_all(claimer, connection)
        await store(writer, [*after, *twin])
        await writer.store(depths=[book(market.ids[1], ts) for ts in heard[: 1 + takes_over]])
        await pass_time(writer, floor(trades[-1].ts, HOUR) + HOUR)
        await settle(market, claimer, connection)
    await assert_like_its_twin(market)


@pytest.mark.slow
async def test_a_recorded_minute_that_is_cut_out_and_healed_is_as_in_its_twin(
    market: Market, recordings: Path
) -> None:
    recorded = recorded_trades(recordings / "hftbacktest" / "usdm_btcusdt_20240808.gz")
    own = [msgspec.structs.replace(trade, instrument_id=market.ids[0]) for trade in recorded]
    gap = own[0].ts + 2 * MINUTE
    missing = [trade for trade in own if gap <= trade.ts < gap + MINUTE]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await store(writer, [trade for trade in own if not gap <= trade.ts < gap + MINUTE])
        await claim_all(claimer, connection)
        await fill(market, missing)
        await settle(market, claimer, connection)
        await store(writer, [msgspec.structs.replace(trade, instrument_id=market.ids[1]) for trade in own])
        await claim_all(claimer, connection)
    await assert_like_its_twin(market)
    log = await market.connection.fetch(LOG, market.ids[0])
    assert {"signal", "bar", "correction"} == {row["op"] for row in log}


async def go_on(market: Market, writer: Writer, trades: int, spacing: int) -> None:
    """Store more of both tapes, and let time pass beyond every bar."""
    later = tape(market.ids[0], trades + 3000, spacing=spacing)[trades:]
    await store(writer, later)
    await store(writer, [msgspec.structs.replace(t, instrument_id=market.ids[1]) for t in later])
    await pass_time(writer, floor(later[-1].ts, HOUR) + HOUR)


async def last_staged(market: Market) -> "Staged":
    row = await market.connection.fetchrow("SELECT * FROM staged ORDER BY staged_id DESC LIMIT 1")
    assert row
    return Staged(**{name: row[name] for name in Staged.__struct_fields__})


def replaces(each: "Staged") -> bool:
    """Tell whether what is staged reaches up to live."""
    made = repairs.decode(FOLDER, each.body)
    assert made
    return made.state is not None


@pytest.mark.parametrize("seed", range(6))
async def test_whoever_repairs_and_applies_and_is_killed_and_whatever_comes_meanwhile_all_ends_up_right(
    market: Market, seed: int
) -> None:
    chance = random.Random(seed)
    spacing = chance.choice((SECOND // 10, SECOND))
    own = tape(market.ids[0], 4000, seed, spacing)
    books = leaning(market.ids[0], own[-1].ts, chance)
    ticks: list[Trade | Depth] = [*own, *books]
    late = {tick.tape_key: chance.choice((0,) * 40 + (1, 3, 40)) * SECOND for tick in ticks}
    gap = own[600 + 100 * seed].ts
    missing = [trade for trade in own if gap <= trade.ts < gap + MINUTE]
    arriving = sorted(
        (tick for tick in ticks if tick not in missing),
        key=lambda tick: tick.ts + late[tick.tape_key],
    )
    pieces = [missing[: len(missing) // 2], missing[len(missing) // 2 :]]
    now = BEGAN
    claimers = [new_claimer(lambda: now) for _ in range(2)]
    async with market.writing() as writer, market.working() as connection:
        while arriving or pieces:
            part, arriving = arriving[:120], arriving[120:]
            if part:
                await store_ticks(writer, part)
            if pieces and chance.random() < 0.1 and (not part or part[0].ts > gap + MINUTE):
                await fill(market, pieces.pop())
            now += SECOND
            if chance.random() < 0.8:
                await claim_all(chance.choice(claimers), connection)
            if chance.random() < 0.4:
                await repair_killed(market, connection)
            if chance.random() < 0.5:
                await new_backfill(market.url).repair(connection)
            if chance.random() < 0.5:
                await chance.choice(claimers).apply(connection, 1)
        await store_ticks(
            writer, [msgspec.structs.replace(tick, instrument_id=market.ids[1]) for tick in ticks]
        )
        await pass_time(writer, floor(own[-1].ts, HOUR) + HOUR)
        await settle(market, claimers[0], connection)
    await assert_like_its_twin(market)
    assert 0 == await market.connection.fetchval("SELECT count(*) FROM dirty")


def leaning(instrument_id: int, until: int, chance: random.Random) -> list[Depth]:
    """Books that lean now to one side, now to the other."""
    books, ts, bids = [], BEGAN, 1.0
    while ts < until:
        ts += chance.choice((SECOND // 2, SECOND, 3 * SECOND))
        bids = chance.choice((0.2, 1.0, 5.0)) if chance.random() < 0.05 else bids
        books.append(Depth(instrument_id, ts, ts, (99.0,), (bids,), (101.0,), (1.0,), ts))
    return books


async def store_ticks(writer: Writer, ticks: Sequence[Trade | Depth]) -> None:
    await writer.store(
        [tick for tick in ticks if isinstance(tick, Trade)],
        depths=[tick for tick in ticks if isinstance(tick, Depth)],
    )


async def repair_killed(market: Market, connection: "Connection") -> None:
    """Compute and stage, and die before the commit."""
    transaction = connection.transaction()
    await transaction.start()
    await new_backfill(market.url).repair(connection)
    await transaction.rollback()


async def test_ten_late_ticks_cause_one_repair(market: Market) -> None:
    own = tape(market.ids[0], 3000)
    late = own[300:310]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await store(writer, [trade for trade in own if trade not in late])
        await claim_all(claimer, connection)
        for trade in late:
            await writer.store([trade])
            await claim_all(claimer, connection)
        assert 10 == await new_backfill(market.url).repair(connection)
        assert 0 == await new_backfill(market.url).repair(connection)
    assert 1 == await market.connection.fetchval("SELECT count(*) FROM staged")


async def test_the_newest_is_repaired_first_and_no_more_than_some_minutes_at_once(market: Market) -> None:
    own = tape(market.ids[0], 3000, spacing=SECOND)
    ended = own[-1].ts
    async with market.writing() as writer, market.working() as connection:
        await store(writer, own)
        await claim_all(new_claimer(), connection)
        [asked] = [DirtyInterval(market.ids[0], ended - 25 * MINUTE, ended)]
        await dirty.mark(connection, [asked], "asked")
        for minutes in (10, 20, None):
            assert 1 == await new_backfill(market.url).repair(connection)
            left = await market.connection.fetch("SELECT from_ts, to_ts FROM dirty")
            expected = [] if minutes is None else [(asked.from_ts, ended - minutes * MINUTE)]
            assert expected == [tuple(row) for row in left]
        assert 0 == await new_backfill(market.url).repair(connection)


async def test_repairing_what_was_right_tells_nothing(market: Market) -> None:
    own = tape(market.ids[0], 3000)
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await store(writer, own)
        await claim_all(claimer, connection)
        before = await market.connection.fetch(LOG, market.ids[0])
        await dirty.mark(connection, [DirtyInterval(market.ids[0], own[0].ts, own[-1].ts)], "asked")
        await settle(market, claimer, connection)
    assert before == await market.connection.fetch(LOG, market.ids[0])


async def test_one_instrument_is_repaired_by_one_worker_at_a_time(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection, market.working() as another:
        for instrument_id in market.ids[:2]:
            await store(writer, tape(instrument_id, 1000))
        await claim_all(new_claimer(), connection)
        for instrument_id in market.ids[:2]:
            for second in (1, 3):
                asked = DirtyInterval(instrument_id, BEGAN + second * SECOND, BEGAN + (second + 1) * SECOND)
                await dirty.mark(market.connection, [asked], "asked")
        async with connection.transaction(), another.transaction():
            for working in (connection, another):
                assert 2 == await new_backfill(market.url).repair(working)
            assert 0 == await new_backfill(market.url).repair(another)


async def test_what_is_staged_too_far_from_live_is_computed_again(market: Market) -> None:
    tapes = cut(market, trades=TICKS_A_CLAIM + 9000, minute=3)
    before, after = tapes.before, tapes.after
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await store(writer, [*before, *after[:500]])
        await claim_all(claimer, connection)
        await fill(market, tapes.missing)
        await repair_all(market, connection)
        await store(writer, [*after[500:], *tapes.twin])
        await claim_all(claimer, connection)
        assert [True] == [each.dropped for each in await apply_all(claimer, connection)]
        await settle(market, claimer, connection)
    await assert_like_its_twin(market)


async def test_what_other_kinds_computed_is_computed_again(market: Market) -> None:
    own = tape(market.ids[0], 2000)
    async with market.writing() as writer, market.working() as connection:
        await store(writer, own)
        await claim_all(new_claimer(), connection)
        await dirty.mark(connection, [DirtyInterval(market.ids[0], BEGAN, BEGAN + SECOND)], "asked")
        fewer = Folder(FOLDER.kinds[1:])
        await repair_all(market, connection, new_backfill(market.url, fewer))
        assert [True] == [each.dropped for each in await apply_all(new_claimer(), connection)]
    assert ["moved on"] == [row["reason"] for row in await market.connection.fetch("SELECT * FROM dirty")]


# History before live


async def test_history_from_before_live_is_written_and_never_published(market: Market) -> None:
    own = tape(market.ids[0], 9000, spacing=SECOND)
    history, live = own[:6000], own[6000:]
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await store(writer, live)
        await claim_all(claimer, connection)
        told = await market.connection.fetch(LOG, market.ids[0])
        await fill(market, history[:2500])
        await repair_all(market, connection)
        assert BEGAN < (await last_staged(market)).from_ts  # the newest minutes alone, which live remembers
        await settle(market, claimer, connection)
        await fill(market, history[2500:])
        await settle(market, claimer, connection)
        log = await market.connection.fetch(LOG, market.ids[0])
        await store(writer, [msgspec.structs.replace(t, instrument_id=market.ids[1]) for t in own])
        await pass_time(writer, floor(own[-1].ts, HOUR) + HOUR)
        await settle(market, claimer, connection)
    assert told == [row for row in log if row in told]
    began = live[0].ts - 2 * SECOND
    assert all(row["ts"] + HOUR > began for row in log)
    one, other = [await content(market, each) for each in market.ids[:2]]
    assert (other["bars"], other["signals"]) == (one["bars"], one["signals"])
