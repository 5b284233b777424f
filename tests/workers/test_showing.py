"""Bars that run are shown some times a second: the newest of each interval."""

from collections.abc import Sequence

import msgspec
import pytest

from db import proofs
from db.claims import Instrument
from market.bars import NAMES
from market.channels import Family
from market.coverage import Proof
from market.gaps import TRADES
from market.publications import Latest
from market.texts import Name
from market.times import HOUR, MINUTE, SECOND
from tests.workers.kinds.tapes import START, trade, watermark
from tests.workers.market import BEGAN, Market, claim_all, tape
from workers.claiming import Claimed, Claimer
from workers.folding import Folded, Folder, Tick
from workers.kinds.catalogue import KINDS
from workers.showing import Showing, Value

SOL = Instrument(1, 1, Name("kraken", "SOL/USD"))
EVERY = SECOND // 4
LENGTHS = {SECOND, MINUTE, 5 * MINUTE, HOUR}


def folded(*ticks: Tick) -> Folded:
    folder = Folder(())
    return folder.fold(folder.start(), ticks)


def noted(showing: Showing, made: Folded, instrument: Instrument = SOL) -> None:
    showing.note(instrument, made.state, made.bars)


def shown(showing: Showing, now: int) -> dict[int, Value]:
    """What is due of the one instrument, by interval."""
    return {value.bar.interval: value for value in showing.due(now).get(1, [])}


def test_every_interval_is_shown_as_it_runs() -> None:
    showing = Showing(EVERY)
    noted(showing, folded(trade(START, price=3.0), trade(START + 5, price=4.0)))
    values = shown(showing, START)
    assert LENGTHS == set(values)
    assert {(3.0, 4.0, False, START + 5)} == {
        (v.bar.open, v.bar.close, v.final, v.ts) for v in values.values()
    }


def test_nothing_is_shown_before_it_is_time_and_then_the_newest_with_how_many_it_stands_for() -> None:
    showing = Showing(EVERY)
    noted(showing, folded(trade(START, price=1.0)))
    assert shown(showing, START)
    for price in (2.0, 3.0, 4.0):
        noted(showing, folded(trade(START, price=price)))
        assert {} == shown(showing, START + EVERY - 1)
    minute = shown(showing, START + EVERY)[MINUTE]
    assert (4.0, 3) == (minute.bar.close, minute.count)


def test_what_has_not_changed_is_not_shown_again() -> None:
    showing = Showing(EVERY)
    first = folded(trade(START))
    noted(showing, first)
    assert shown(showing, START)
    noted(showing, first)
    assert {} == shown(showing, START + SECOND)


def test_a_bar_that_closed_is_shown_final_unless_another_runs_by_then() -> None:
    showing = Showing(EVERY)
    noted(showing, folded(trade(START), watermark(START + MINUTE)))
    final = {interval: value.final for interval, value in shown(showing, START).items()}
    assert {SECOND: True, MINUTE: True, 5 * MINUTE: True, HOUR: False} == final
    noted(showing, folded(trade(START), trade(START + MINUTE, price=7.0)))
    minute = shown(showing, START + SECOND)[MINUTE]
    assert (False, 7.0) == (minute.final, minute.bar.close)


def test_instruments_that_have_no_claim_now_are_shown_all_the_same() -> None:
    showing = Showing(EVERY)
    noted(showing, folded(trade(START)))
    showing.due(START)
    noted(showing, folded(trade(START, price=9.0)))
    other = msgspec.structs.replace(SOL, instrument_id=2)
    noted(showing, folded(trade(START)), other)
    assert {1, 2} == set(showing.due(START + EVERY))


def test_a_clock_that_was_set_back_hides_nothing() -> None:
    showing = Showing(EVERY)
    noted(showing, folded(trade(START)))
    showing.due(START)
    noted(showing, folded(trade(START, price=9.0)))
    assert shown(showing, START - HOUR)


# As claims hand them out


def ticking(now: list[int]) -> Claimer:
    return Claimer(Folder(KINDS), lambda: now[0], "test", EVERY)


def latest_of(claimed: Sequence[Claimed]) -> list[Latest]:
    return [value for each in claimed for value in each.latest]


async def test_a_claim_hands_out_what_runs_after_its_commit(market: Market) -> None:
    trades, now = tape(market.ids[0], 1200), [BEGAN]
    await proofs.extend(market.connection, [Proof(market.ids[0], TRADES, trades[0].ts, trades[-1].ts)])
    async with market.writing() as writer, market.working() as connection:
        claimer, values = ticking(now), []
        for at in range(0, len(trades), 100):
            await writer.store(trades[at : at + 100])
            values.append(latest_of(await claim_all(claimer, connection)))
            now[0] += EVERY // 2
    assert [bool(each) for each in values] == [True, False] * 6
    data = [msgspec.json.decode(value.data) for value in values[-2]]
    assert {NAMES[value.id] for value in values[-2]} == {"1s", "1m", "5m", "1h"}
    assert {each["interval"] for each in data} == {"1s", "1m", "5m", "1h"}
    assert {(False, "binance", "BTC/USDT")} == {(e["final"], e["exchange"], e["symbol"]) for e in data}
    assert {Family.RUNNING} == {value.family for value in values[-2]}
    assert {trades[1099].ts} == {value.ts for value in values[-2]}
    of = {each["interval"]: each for each in data}
    assert (1.0, 0.0 < of["1h"]["coverage"] < 1.0) == (of["1s"]["coverage"], True)
    assert trades[1099].price == of["1h"]["close"]


async def test_nothing_of_it_is_in_the_log(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 5))
        assert latest_of(await claim_all(ticking([BEGAN]), connection))
    families = await market.connection.fetch("SELECT DISTINCT family FROM publications")
    assert Family.RUNNING not in {row["family"] for row in families}


@pytest.mark.parametrize("family", [Family.RUNNING, Family.QUOTES])
def test_who_has_a_later_value_drops_an_older_one(family: Family) -> None:
    def value(ts: int, number: int) -> Latest:
        return Latest(1, family, ts, number, 1, "")

    assert value(2, 60).outdates(value(1, 60))
    assert not value(1, 60).outdates(value(2, 60))
    assert (family is Family.RUNNING) == value(1, 60).outdates(value(1, 60))
    assert (family is Family.RUNNING) == (value(1, 60).slot != value(1, 1).slot)
