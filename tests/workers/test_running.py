import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.bars import Bar
from market.times import HOUR, MINUTE, SECOND
from tests.workers.kinds.tapes import START
from workers.running import NONE_RUNNING, SHORTEST_FIRST, RunningBar, RunningBars, restored

TRADES = ((10.0, 0.1, 1), (12.0, 0.2, -1), (9.0, 0.3, 0), (11.0, 0.7, 1))


def running_after(trades: tuple[tuple[float, float, int], ...], interval: int = SECOND) -> RunningBar:
    running = RunningBar(interval, None)
    for price, size, side in trades:
        running.add(START + 5, price, size, price * size, side)
    return running


def test_a_bar_is_the_left_fold_of_its_trades() -> None:
    assert running_after(TRADES).bar() == Bar(
        interval=SECOND,
        start=START,
        open=10.0,
        high=12.0,
        low=9.0,
        close=11.0,
        volume=((0.1 + 0.2) + 0.3) + 0.7,
        quote_volume=((10.0 * 0.1 + 12.0 * 0.2) + 9.0 * 0.3) + 11.0 * 0.7,
        buy_volume=0.1 + 0.7,
        sell_volume=0.2,
        trades=4,
    )


def test_a_bar_goes_on_where_it_stood() -> None:
    first = running_after(TRADES[:2]).bar()
    running = RunningBar(SECOND, first)
    for price, size, side in TRADES[2:]:
        running.add(START + 9, price, size, price * size, side)
    assert running.bar() == running_after(TRADES).bar()


def test_a_bar_begins_where_its_interval_does() -> None:
    starts = [running_after(TRADES, interval).bar().start for interval in (SECOND, MINUTE, HOUR)]
    assert starts == [START, START, START - 54 * MINUTE]


def test_there_is_no_bar_before_the_first_trade_nor_after_it_was_cleared() -> None:
    running = RunningBar(SECOND, None)
    assert running.current() is None
    running = running_after(TRADES)
    running.clear()
    assert running.current() is None
    assert not running.ended(START + HOUR)


def test_a_bar_has_ended_at_the_first_instant_after_it() -> None:
    running = running_after(TRADES)
    assert not running.ended(START + SECOND - 1)
    assert running.ended(START + SECOND)


def test_nothing_of_a_cleared_bar_is_left_in_the_next() -> None:
    running = running_after(TRADES)
    running.clear()
    for price, size, side in TRADES:
        running.add(START + MINUTE, price, size, price * size, side)
    assert running.bar() == msgspec.structs.replace(running_after(TRADES).bar(), start=START + MINUTE)


# All intervals together

prices, sizes = st.floats(1, 1e5), st.floats(1e-8, 1e4)
waits = st.sampled_from([0, SECOND // 3, SECOND, 20 * SECOND, 3 * MINUTE, 40 * MINUTE])
tapes = st.lists(st.tuples(waits, prices, sizes, st.sampled_from([-1, 0, 1])), max_size=60)


@given(tapes, st.sets(st.integers(0, 60)))
def test_together_they_are_what_each_would_be_alone_however_the_tape_is_cut(
    steps: list[tuple[int, float, float, int]], cuts: set[int]
) -> None:
    together, alone = RunningBars(NONE_RUNNING), [RunningBar(interval, None) for interval in SHORTEST_FIRST]
    ts = START
    for number, (wait, price, size, side) in enumerate(steps):
        ts += wait
        ended = [each for each in alone if each.ended(ts)]
        assert list(together.closed(ts)) == [each.bar() for each in ended]
        for each in ended:
            each.clear()
        together.add(ts, price, size, side)
        for each in alone:
            each.add(ts, price, size, price * size, side)
        assert together.current() == tuple(each.current() for each in alone)
        if number in cuts:
            together = RunningBars(together.current())


@pytest.mark.parametrize("second_runs", [True, False])
def test_an_interval_that_is_new_begins_with_what_runs_of_a_shorter_one(*, second_runs: bool) -> None:
    second, minute, hour = [running_after(TRADES, interval).bar() for interval in (SECOND, MINUTE, HOUR)]
    stored = [second, minute, hour] if second_runs else [minute, hour]
    five = msgspec.structs.replace(minute, interval=5 * MINUTE, start=START - 4 * MINUTE)
    assert restored(stored) == (second if second_runs else None, minute, five, hour)


def test_nothing_runs_where_nothing_was_stored() -> None:
    assert restored([]) == NONE_RUNNING
