"""Wherever a time lies on a tape, it is found by ids in a bounded number of pages."""

from itertools import accumulate
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.history.seeking import Seek, Spot
from market.trades import Side, Trade

Steps = st.tuples(st.sampled_from([1, 1, 1, 2, 5_000]), st.sampled_from([0, 1, 1_000, 10**9]))
tapes = st.tuples(
    st.integers(0, 2**50),
    st.lists(Steps, max_size=400),
    st.integers(1, 20),
    st.booleans(),
    st.integers(-5, 405),
)


def trade(trade_id: int, ts: int) -> Trade:
    return Trade(1, ts, trade_id, 1.0, 1.0, Side.BUY, ts)


def tape(first: int, steps: list[tuple[int, int]]) -> list[Trade]:
    ids = accumulate((step for step, _ in steps), initial=first)
    times = accumulate((step for _, step in steps), initial=10**15)
    return [trade(*each) for each in zip(ids, times, strict=True)]


def page(trades: list[Trade], seek: Seek) -> list[Trade]:
    """Answer as a venue does."""
    guess = seek.guess
    if guess is None:
        return trades[-seek.page :]
    if seek.upwards:
        return [each for each in trades if each.trade_id >= guess][: seek.page]
    return [each for each in trades if each.trade_id <= guess][-seek.page :]


def sought(trades: list[Trade], seek: Seek) -> Seek:
    while not seek.found:
        seek = seek.seen(page(trades, seek))
    return seek


@pytest.mark.slow
@given(tapes)
def test_what_is_before_and_what_is_not_is_told_apart(
    case: tuple[int, list[tuple[int, int]], int, bool, int],
) -> None:
    first, steps, size, upwards, place = case
    trades = tape(first, steps)
    ts = trades[min(max(place, 0), len(trades) - 1)].ts + (place < 0) * -1 + (place >= len(trades))
    seek = sought(trades, Seek(ts=ts, page=size, upwards=upwards))
    assert all((each.ts < ts) or each.trade_id > seek.bottom for each in trades)
    assert all((each.ts >= ts) or each.trade_id < seek.top for each in trades)
    assert seek.top - seek.bottom <= size
    span = trades[-1].trade_id + 2
    assert seek.asked <= 2 + 3 * (log2(span) + 1)


def test_no_trade_at_all_is_found_in_one_page() -> None:
    seek = sought([], Seek(ts=10, page=5, upwards=True))
    assert (1, -1, 0) == (seek.asked, seek.bottom, seek.top)


def test_even_tapes_are_searched_in_a_few_pages() -> None:
    trades = [trade(number, number * 7) for number in range(1, 20_001)]
    for ts in (8, 70_000, 139_993):
        assert sought(trades, Seek(ts=ts, page=100, upwards=True)).asked <= 4


def test_trades_that_are_known_spare_most_of_the_search() -> None:
    trades = [trade(number, number * 7) for number in range(1, 20_001)]
    low, high = Spot(9_000, 63_000), Spot(11_000, 77_000)
    known = Seek(ts=70_000, page=100, upwards=False, bottom=9_000, top=11_000, low=low, high=high)
    assert sought(trades, known).asked == 1
