"""What was stored, compared with what truly happened."""

from collections.abc import Iterable
from typing import Any

import pytest

from db.audits import StoredBar, StoredTrade
from heliograph.chaos.verdict import Evidence, Told, judge
from market.coverage import Coverage, Interval
from market.gaps import Cause, Gap, GapState
from market.times import SECOND

START = 1_699_999_980 * SECOND
WHOLE = Interval(START, START + 100 * SECOND)


def told(number: int, *, forgotten: bool = False) -> Told:
    return Told(number, START + number * SECOND, f"{number}.50", "2", "buy", forgotten)


def stored(number: int) -> StoredTrade:
    return StoredTrade(number, START + number * SECOND, number + 0.5, 2.0, 1)


def bar(number: int) -> StoredBar:
    price = number + 0.5
    return StoredBar(1, START + number * SECOND, price, price, price, price, 2.0, 1)


def gap(after: int, before: int, state: GapState = GapState.UNRECOVERABLE) -> Gap:
    return Gap(
        gap_id=1,
        instrument_id=1,
        kind="trades",
        cause=Cause.SEQUENCE,
        state=state,
        from_ts=START + after * SECOND,
        to_ts=START + before * SECOND,
        after_id=after,
        before_id=before,
        job_id=None,
        opened_at=START,
        closed_at=None,
        detail="",
    )


def evidence(numbers: Iterable[int] = range(1, 6), **changes: Any) -> Evidence:
    """Return the evidence of a run in which these of five trades were stored, changed as told."""
    kept = list(numbers)
    whole = Evidence(
        [told(number) for number in range(1, 6)],
        [stored(number) for number in kept],
        [bar(number) for number in kept],
        [],
        Coverage([WHOLE]),
        [],
        [],
        [],
        0,
    )
    return whole._replace(**changes)


def test_a_tape_that_is_stored_whole_has_no_fault() -> None:
    verdict = judge(evidence())
    assert (5, 5, 0) == (verdict.tape, verdict.stored, verdict.faults)


def test_what_came_before_the_first_trade_stored_is_not_asked_for() -> None:
    verdict = judge(evidence(range(3, 6)))
    assert (3, 0) == (verdict.tape, verdict.faults)


def test_a_trade_that_history_knows_and_is_not_stored_is_lost() -> None:
    assert 1 == judge(evidence([1, 2, 4, 5])).lost


def test_a_trade_that_history_forgot_is_excused_where_a_gap_says_so() -> None:
    tape = [told(number, forgotten=number == 3) for number in range(1, 6)]
    hole = Interval(START + 2 * SECOND, START + 4 * SECOND)
    excused = evidence([1, 2, 4, 5], tape=tape, gaps=[gap(2, 4)], coverage=Coverage([WHOLE], [hole]))
    assert (1, 0) == (judge(excused).forgotten, judge(excused).faults)
    for gaps in ([], [gap(3, 5)], [gap(2, 4, GapState.CLOSED)]):
        assert 1 == judge(excused._replace(gaps=gaps)).unexplained


@pytest.mark.parametrize(
    "wrong",
    [
        stored(9),
        stored(3)._replace(price=3.51),
        stored(3)._replace(size=2.1),
        stored(3)._replace(side=-1),
        stored(3)._replace(ts=START),
    ],
)
def test_a_trade_that_the_venue_does_not_know_is_invented(wrong: StoredTrade) -> None:
    trades = sorted([*map(stored, (1, 2, 4, 5)), wrong], key=lambda trade: trade.ts)
    assert 1 == judge(evidence(stored=trades)).invented


def test_a_time_that_one_road_tells_by_the_millisecond_is_the_same_time() -> None:
    tape = [later_by(told(number), 999) for number in range(1, 6)]
    assert 0 == judge(evidence(tape=tape)).faults


def later_by(trade: Told, microseconds: int) -> Told:
    return Told(trade.id, trade.ts + microseconds, trade.price, trade.size, trade.side, trade.forgotten)


def test_one_trade_under_two_keys_is_repeated() -> None:
    twice = [*map(stored, range(1, 6)), stored(5)._replace(ts=START + 6 * SECOND)]
    assert 1 == judge(evidence(stored=twice)).repeated


@pytest.mark.parametrize(
    "bars",
    [
        [bar(1), bar(2)._replace(trades=2), *map(bar, range(3, 6))],
        [bar(1), *map(bar, range(3, 6))],
        [*map(bar, range(1, 6)), bar(7)],
        [bar(1), bar(2)._replace(volume=2.001), *map(bar, range(3, 6))],
    ],
)
def test_a_bar_that_its_trades_do_not_give_is_wrong_unless_it_waits(bars: list[StoredBar]) -> None:
    assert 1 == judge(evidence(bars=bars)).bars_wrong
    assert 0 == judge(evidence(bars=bars, dirty=[WHOLE])).bars_wrong


def test_the_bar_that_is_still_running_is_not_missed() -> None:
    assert 0 == judge(evidence(bars=[bar(number) for number in range(1, 5)])).bars_wrong


def test_a_bar_may_not_be_sure_of_a_hole() -> None:
    long = StoredBar(60, START, 1.5, 5.5, 1.5, 5.5, 8.0, 4)
    holed = evidence([1, 2, 4, 5], bars=[*map(bar, (1, 2, 4, 5)), long])
    assert 1 == judge(holed).bars_sure_of_holes
    hole = Coverage([WHOLE], [Interval(START + 3 * SECOND, START + 3 * SECOND + 1)])
    assert 0 == judge(holed._replace(coverage=hole)).bars_sure_of_holes
