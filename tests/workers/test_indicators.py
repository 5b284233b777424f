"""What each kind measured last before the end of a minute is kept, however it came to be folded."""

import random
from collections.abc import Sequence

import pytest

from db.history import indicators
from db.history.windows import Window
from market.bars import Bar
from market.depths import Depth
from market.indicators import Indicator
from market.times import MINUTE, SECOND, floor
from market.trades import Side, Trade
from tests.workers.kinds.tapes import START, depth, random_tape, trade, watermark
from tests.workers.market import BEGAN, Market, claim_all, new_claimer, tape
from workers.decisions import undecided
from workers.folding import Folder, Tick
from workers.kinds.catalogue import KINDS
from workers.kinds.flow import Flow
from workers.kinds.fold import Input
from workers.kinds.pressure import Pressure
from workers.kinds.reading import Reading

pytestmark = pytest.mark.slow


def measured(ticks: Sequence[Tick], *kinds: object) -> list[Indicator]:
    folder = Folder(kinds or KINDS)  # type: ignore[arg-type]
    return folder.fold(folder.start(), ticks).indicators


def even_trades(seconds: int) -> list[Tick]:
    """A trade each second from START on, bought and sold in turn."""
    return [trade(START + n * SECOND, side=1 - 2 * (n % 2), trade_id=n) for n in range(seconds)]


# Of bars


def test_a_kind_of_bars_is_read_when_its_minute_closes_at_the_last_second_of_it() -> None:
    [flow] = measured([*even_trades(45), watermark(START + MINUTE)], Flow())
    assert (flow.kind, flow.ts, flow.to_ts) == ("flow", START + MINUTE, START + 45 * SECOND)
    assert flow.values == {"imbalance": 0.0, "buy_volume": 15.0, "sell_volume": 15.0, "volume": 30.0}


def test_nothing_is_kept_of_a_minute_without_trades_nor_before_the_kind_has_seen_enough() -> None:
    assert [] == measured([*even_trades(29), watermark(START + MINUTE)], Flow())
    quiet = [watermark(START + minute * MINUTE) for minute in (1, 2, 3)]
    assert 1 == len(measured([*even_trades(40), *quiet], Flow()))


def test_every_kind_is_kept_once_a_minute() -> None:
    kept = measured(random_tape(seed=3, seconds=1200))
    assert {fold.kind for fold in KINDS} == {each.kind for each in kept}
    assert len(kept) == len({(each.kind, each.ts) for each in kept})
    assert all(each.ts % MINUTE == 0 and each.from_ts <= each.to_ts <= each.ts for each in kept)


# Of books


@pytest.mark.parametrize("closer", [trade, watermark, depth])
def test_pressure_is_that_of_the_last_book_of_its_minute(closer: type) -> None:
    books = [depth(START + 1, bids=3.0), depth(START + 2, bids=2.0), closer(START + MINUTE)]
    [kept] = measured(books, Pressure())
    assert (kept.ts, kept.to_ts, kept.values["ratio"]) == (START + MINUTE, START + 2, 2.0)


def test_a_book_ahead_of_the_trades_belongs_to_its_own_minute() -> None:
    books = [depth(START + 1, bids=3.0), depth(START + MINUTE, bids=7.0)]
    kept = measured([*books, trade(START + MINUTE + 1), watermark(START + 2 * MINUTE)], Pressure())
    assert [(START + MINUTE, 3.0), (START + 2 * MINUTE, 7.0)] == [(e.ts, e.values["ratio"]) for e in kept]


# Failures


def test_what_is_beyond_a_double_is_not_kept() -> None:
    ticks = [trade(START + n * SECOND, size=1e308, trade_id=n) for n in range(40)]
    assert [] == measured([*ticks, watermark(START + MINUTE)], Flow())


class Fragile(Flow, frozen=True):
    """Cannot be read."""

    def measure(self, _state: object, _bar: Bar, /) -> Reading | None:
        """Fail, once there is enough to read."""
        if len(_state.flows.starts) == self.bars:  # type: ignore[attr-defined]
            raise ValueError
        return None


def test_a_kind_that_cannot_be_read_is_quarantined_and_the_others_go_on() -> None:
    folder = Folder([Fragile(), Pressure()])
    ticks = [depth(START), *even_trades(40), watermark(START + MINUTE)]
    folded = folder.fold(folder.start(), sorted(ticks, key=lambda tick: tick.tape_key))
    assert [("flow", "ValueError: ")] == [(each.kind, each.error) for each in folded.failures]
    assert folded.state.kinds["flow"] is None
    assert ["pressure"] == [each.kind for each in folded.indicators]


# What may still come


@pytest.mark.parametrize("seed", range(8))
def test_what_is_undecided_at_a_state_is_what_comes_after_it(seed: int) -> None:
    ticks = random_tape(seed, seconds=700)
    folder = Folder(KINDS)
    for cut in random.Random(seed).sample(range(len(ticks)), 20):
        first = folder.fold(folder.start(), ticks[:cut])
        later = folder.fold(first.state, ticks[cut:]).indicators
        bound = undecided(first.state)
        assert all(each.ts < bound[each.source] for each in first.indicators)
        assert all(each.ts >= bound[each.source] for each in later)


# At rest


def books(instrument_id: int, seconds: int, seed: int) -> list[Depth]:
    chance = random.Random(seed)
    return [
        Depth(instrument_id, ts, ts, (99.0,), (chance.choice((0.0, 1.0, 3.0)),), (101.0,), (1.0,), ts)
        for ts in range(BEGAN, BEGAN + seconds * SECOND, SECOND // 2)
    ]


async def kept(market: Market) -> list[Indicator]:
    read = await indicators.read(market.connection, Window(limit=10_000), instrument_ids=market.ids[:1])
    return [each.indicator for each in read]


def in_order(found: Sequence[Indicator]) -> list[Indicator]:
    return sorted(found, key=lambda each: (each.ts, each.kind))


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_kept_is_what_one_fold_measures_whatever_came_late(market: Market, seed: int) -> None:
    chance = random.Random(seed)
    trades = tape(market.ids[0], 1500, seed=seed, spacing=SECOND // 4)
    seconds = (trades[-1].ts - BEGAN) // SECOND
    ticks: list[Trade | Depth] = [*trades, *books(market.ids[0], seconds, seed)]
    late = {tick.tape_key: chance.choice((0, 0, 1, 1.5)) * SECOND for tick in ticks}
    arriving = sorted(ticks, key=lambda tick: tick.ts + late[tick.tape_key])
    async with market.writing() as writer, market.working() as connection:
        claimers = [new_claimer(), new_claimer()]
        while arriving:
            part, arriving = arriving[:97], arriving[97:]
            await writer.store(
                [tick for tick in part if isinstance(tick, Trade)],
                depths=[tick for tick in part if isinstance(tick, Depth)],
            )
            await claim_all(chance.choice(claimers), connection)
    assert 0 == await market.connection.fetchval("SELECT count(*) FROM dirty")
    expected = measured(sorted(ticks, key=lambda tick: tick.tape_key))
    assert {each.kind for each in expected} == {fold.kind for fold in KINDS}
    assert in_order(expected) == in_order(await kept(market))


async def test_a_book_that_came_late_takes_back_what_was_measured_before_it(market: Market) -> None:
    ended = floor(BEGAN, MINUTE) + MINUTE

    def book(ts: int, bids: float) -> Depth:
        return Depth(market.ids[0], ts, ts, (99.0,), (bids,), (101.0,), (1.0,), ts)

    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        for one in (book(ended - 9, 3.0), book(ended + 1, 1.0)):
            await writer.store(depths=[one])
            await claim_all(claimer, connection)
        assert [3.0] == [each.values["ratio"] for each in await kept(market)]
        await writer.store(depths=[book(ended - 5, 0.0)])
        await claim_all(claimer, connection)
    assert [] == await kept(market)


async def test_what_a_book_ended_stays_when_trades_are_folded_again_that_ended_later(market: Market) -> None:
    ended = floor(BEGAN, MINUTE) + MINUTE

    def book(ts: int) -> Depth:
        return Depth(market.ids[0], ts, ts, (99.0,), (3.0,), (101.0,), (1.0,), ts)

    def trade(ts: int) -> Trade:
        return Trade(market.ids[0], ts, ts, 100.0, 1.0, Side.BUY, ts)

    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await writer.store([trade(ended - 100_000)], depths=[book(ended - 200_000)])
        await claim_all(claimer, connection)
        await writer.store(depths=[book(ended + 50_000)])
        await claim_all(claimer, connection)
        await writer.store([trade(ended + 300_000)])
        await claim_all(claimer, connection)
        await writer.store(depths=[book(ended + 100_000)])
        await claim_all(claimer, connection)
    assert ["pressure"] == [each.kind for each in await kept(market)]


def test_kinds_of_books_are_the_only_ones_read_from_books() -> None:
    assert {"pressure"} == {fold.kind for fold in KINDS if fold.input is Input.DEPTH}
