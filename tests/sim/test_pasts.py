"""A made-up past is as long as wanted, in order, the same each time, and joins the tape without a hole."""

import pytest

from market.errors import InvalidInputError
from market.times import SECOND
from sim.ledger import Fill, Trades
from sim.pasts import Length, Past

ENDS_AT = 1_700_000_000 * SECOND


def past(trades: int = 1000) -> Past:
    return Past(Length(trades, 10.0), ENDS_AT, 5000, 60_000.0, 2)


def test_trades_are_numbered_up_to_the_last_and_in_order_of_time() -> None:
    made = list(past())
    assert list(range(4001, 5001)) == [fill.trade_id for fill in made]
    assert sorted(made, key=lambda fill: fill.ns) == made
    assert made[-1].ts < ENDS_AT
    assert ENDS_AT - 102 * SECOND < made[0].ts < ENDS_AT - 98 * SECOND
    assert made == list(past())


def test_all_that_a_ledger_answers_goes_across_the_border() -> None:
    trades = Trades(past=past(10))
    for number in (5001, 5002):
        trades.record(Fill(number, ENDS_AT * 1000 + number, "1", "1", "buy"))
    ids = list(range(4991, 5003))
    assert ids[8:] == [fill.trade_id for fill in trades.history(4999, 100)]
    assert ids[9:11] == [fill.trade_id for fill in trades.history(5000, 2)]
    assert ids[-3:] == [fill.trade_id for fill in trades.latest(3)]
    assert ids[:3] == [fill.trade_id for fill in trades.latest(9, before=4994)]
    assert [] == trades.latest(9, before=1)
    assert ids == [number for number, _, _ in trades.tape()]
    assert ids[5:] == [number for number, _, _ in trades.tape(4995)]
    assert ids == [fill.trade_id for fill in trades.since(0, 100)]
    assert ids[-1:] == [fill.trade_id for fill in trades.since(ENDS_AT * 1000 + 5001, 100)]


def test_what_history_forgot_of_the_past_is_left_out() -> None:
    trades = Trades(past=past(10))
    trades.forget(4995)
    assert [4994, 4996] == [fill.trade_id for fill in trades.history(4994, 2)]


def test_a_past_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="cannot be made up"):
        Length(-1).checked()
