"""A kind that failed is stopped for its instrument alone, and starts again when it is requeued."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
import pytest

from db import dead_letters
from db.dead_letters import Filter
from market.bars import Bar
from market.signals import Signal
from market.times import HOUR, MINUTE, SECOND, floor
from market.trades import Trade
from market.watermarks import Watermark
from tests.workers.market import (
    BEGAN,
    Market,
    claim_all,
    content,
    fill,
    new_claimer,
    settle,
    tape,
)
from workers.claiming import Claimer
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.kinds.closes import ClosesState
from workers.kinds.momentum import Momentum

pytestmark = pytest.mark.slow


class Tender(Momentum, frozen=True):
    """Momentum that cannot bear a poisonous price, until it is mended."""

    poison: ClassVar[float] = 0.0

    def step(self, state: ClosesState, bar: Bar, /) -> tuple[ClosesState, Signal | None]:
        if bar.close == self.poison:
            message = "poison"
            raise ValueError(message)
        return super().step(state, bar)


@pytest.fixture(autouse=True)
def mended() -> None:
    """Every test begins with a kind that bears everything."""
    Tender.poison = 0.0


FOLDER = Folder([Tender(), *KINDS[1:]])


def last_of_a_second(trades: Sequence[Trade], place: int) -> Trade:
    return next(
        one
        for one, later in zip(trades[place:], trades[place + 1 :], strict=False)
        if floor(one.ts, SECOND) != floor(later.ts, SECOND)
    )


async def feed(market: Market, claimer: Claimer, trades: Sequence[Trade]) -> None:
    async with market.writing() as writer, market.working() as connection:
        for start in range(0, len(trades), 500):
            await writer.store(trades[start : start + 500])
            await claim_all(claimer, connection)


async def end(market: Market, claimer: Claimer, ts: int) -> None:
    """Let an hour end for all, and do all that there is to do."""
    async with market.writing() as writer, market.working() as connection:
        for second in range(4):
            marks = [Watermark(i, ts + second * SECOND, ts) for i in market.ids[:3]]
            await writer.store(watermarks=marks)
            await claim_all(claimer, connection)
        await settle(market, claimer, connection, FOLDER)


def twin_of(market: Market, trades: Sequence[Trade]) -> list[Trade]:
    return [msgspec.structs.replace(trade, instrument_id=market.ids[1]) for trade in trades]


async def stopped(market: Market) -> list[str]:
    return [row["kind"] for row in await market.connection.fetch("SELECT kind FROM quarantines")]


async def test_a_poison_tick_stops_only_its_kind_and_instrument(market: Market) -> None:
    trades = tape(market.ids[0], 8000)
    poison = last_of_a_second(trades, 4000)
    others = tape(market.ids[2], 8000)
    claimer = new_claimer(folder=FOLDER)
    Tender.poison = poison.price
    await feed(market, claimer, [*trades, *others])
    Tender.poison = 0.0
    await feed(market, claimer, twin_of(market, trades))
    await end(market, claimer, floor(trades[-1].ts, HOUR) + HOUR)
    assert ["momentum"] == await stopped(market)
    one, twin = [await content(market, each) for each in market.ids[:2]]
    assert one["bars"] == twin["bars"]
    healthy = [each for each in twin["signals"] if each["kind"] != "momentum"]
    assert healthy == [each for each in one["signals"] if each["kind"] != "momentum"]
    assert {each["ts"] for each in one["signals"] if each["kind"] == "momentum"} < {
        each["ts"] for each in twin["signals"] if each["kind"] == "momentum"
    }
    assert [market.ids[0]] == [
        row["instrument_id"] for row in await market.connection.fetch("SELECT * FROM quarantines")
    ]


@pytest.mark.parametrize("taken_over", [False, True])
async def test_a_kind_that_is_requeued_says_all_that_it_would_have_said(
    market: Market, *, taken_over: bool
) -> None:
    trades = tape(market.ids[0], 12000)
    poison = last_of_a_second(trades, 3000)
    claimer = new_claimer(folder=FOLDER)
    Tender.poison = poison.price
    await feed(market, claimer, trades[:9000])
    Tender.poison = 0.0
    if taken_over:
        claimer = new_claimer(folder=FOLDER)
    await feed(market, claimer, twin_of(market, trades))
    assert ["momentum"] == await stopped(market)
    [letter] = await dead_letters.matching(market.connection, Filter(kind="momentum"))
    assert ("fold", "ValueError: poison") == (letter.source, letter.reason)
    assert [letter.dead_letter_id] == await dead_letters.requeue(market.connection, [letter.dead_letter_id])
    async with market.working() as connection:
        await settle(market, claimer, connection, FOLDER)
    await feed(market, claimer, trades[9000:])
    await end(market, claimer, floor(trades[-1].ts, HOUR) + HOUR)
    one, twin = [await content(market, each) for each in market.ids[:2]]
    assert twin == one
    assert ([], []) == (await stopped(market), await dead_letters.matching(market.connection, Filter()))


async def test_a_kind_stays_stopped_through_takeovers_and_repairs_even_by_code_that_bears_it(
    market: Market,
) -> None:
    trades = tape(market.ids[0], 9000)
    poison = last_of_a_second(trades, 3000)
    missing = [trade for trade in trades if BEGAN + 3 * MINUTE <= trade.ts < BEGAN + 4 * MINUTE]
    Tender.poison = poison.price
    await feed(market, new_claimer(folder=FOLDER), [t for t in trades[:7000] if t not in missing])
    before = await momentum(market)
    Tender.poison = 0.0
    claimer = new_claimer(folder=FOLDER)
    await fill(market, missing)
    async with market.working() as connection:
        await settle(market, claimer, connection, FOLDER)
    await feed(market, claimer, trades[7000:])
    assert before == await momentum(market)
    assert ["momentum"] == await stopped(market)


async def momentum(market: Market) -> list[int]:
    rows = await market.connection.fetch("SELECT ts FROM signals WHERE kind = 'momentum' ORDER BY ts")
    return [row["ts"] for row in rows]


async def test_what_still_fails_when_it_is_requeued_is_stopped_again(market: Market) -> None:
    trades = tape(market.ids[0], 9000)
    poison = last_of_a_second(trades, 3000)
    claimer = new_claimer(folder=FOLDER)
    Tender.poison = poison.price
    await feed(market, claimer, trades)
    before = await content(market, market.ids[0])
    [letter] = await dead_letters.matching(market.connection, Filter())
    await dead_letters.requeue(market.connection, [letter.dead_letter_id])
    async with market.working() as connection:
        await settle(market, claimer, connection, FOLDER)
    [again] = await dead_letters.matching(market.connection, Filter())
    assert letter.stopped_from == again.stopped_from
    after = await content(market, market.ids[0])
    assert before["signals"] == after["signals"]
    assert before["bars"] == after["bars"]


async def test_a_failure_that_a_repair_finds_stops_the_kind_from_there_on(market: Market) -> None:
    trades = tape(market.ids[0], 9000)
    poison = last_of_a_second(trades, 3000)
    second = [trade for trade in trades if floor(trade.ts, SECOND) == floor(poison.ts, SECOND)]
    claimer = new_claimer(folder=FOLDER)
    Tender.poison = poison.price
    await feed(market, claimer, [trade for trade in trades if trade not in second])
    assert [] == await stopped(market)
    await fill(market, second)
    async with market.working() as connection:
        await settle(market, claimer, connection, FOLDER)
    await feed(market, claimer, twin_of(market, trades))
    await end(market, claimer, floor(trades[-1].ts, HOUR) + HOUR)
    assert ["momentum", "momentum"] == await stopped(market)
    one, twin = [await content(market, each) for each in market.ids[:2]]
    assert twin["signals"] == one["signals"]


async def test_a_failure_that_a_tick_a_moment_later_undoes_is_forgotten(market: Market) -> None:
    trades = tape(market.ids[0], 9000)
    last = trades.index(last_of_a_second(trades, 4000))
    Tender.poison = trades[last - 1].price
    claimer = new_claimer(folder=FOLDER)
    await feed(market, claimer, [*trades[:last], *trades[last + 1 : last + 4]])
    assert ["momentum"] == await stopped(market)
    await feed(market, claimer, [trades[last]])
    assert ([], []) == (await stopped(market), await dead_letters.matching(market.connection, Filter()))
    await feed(market, new_claimer(folder=FOLDER), trades[last + 4 :])
    await feed(market, claimer, twin_of(market, trades))
    await end(market, claimer, floor(trades[-1].ts, HOUR) + HOUR)
    one, twin = [await content(market, each) for each in market.ids[:2]]
    assert twin == one


async def test_a_failure_that_a_tick_a_moment_later_moves_is_told_where_it_is(market: Market) -> None:
    trades = tape(market.ids[0], 9000)
    last = trades.index(last_of_a_second(trades, 4000))
    later = trades.index(last_of_a_second(trades, last + 1))
    Tender.poison = trades[later].price
    early = msgspec.structs.replace(trades[last], price=Tender.poison)
    shown = [*trades[:last], early, *trades[last + 1 : later + 2]]
    claimer = new_claimer(folder=FOLDER)
    await feed(market, claimer, shown)
    mended = msgspec.structs.replace(early, trade_id=early.trade_id + 100_000, price=early.price + 1)
    await feed(market, claimer, [mended])
    [letter] = await dead_letters.matching(market.connection, Filter())
    assert floor(trades[later].ts, SECOND) + SECOND == letter.stopped_from


async def test_letters_of_stopped_kinds_are_not_dropped(market: Market) -> None:
    trades = tape(market.ids[0], 3000)
    Tender.poison = last_of_a_second(trades, 1000).price
    await feed(market, new_claimer(folder=FOLDER), trades)
    [letter] = await dead_letters.matching(market.connection, Filter())
    assert [] == await dead_letters.drop(market.connection, [letter.dead_letter_id])
    await market.connection.execute("DELETE FROM quarantines")
    assert [] == await dead_letters.requeue(market.connection, [letter.dead_letter_id])
    assert [letter.dead_letter_id] == await dead_letters.drop(market.connection, [letter.dead_letter_id])
