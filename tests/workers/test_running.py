import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.bars import Bar
from market.times import HOUR, MINUTE, SECOND, floor
from tests.workers.kinds.tapes import START
from workers.kinds.closes import left_sum
from workers.running import NONE_RUNNING, SHORTEST_FIRST, RunningBars, restored

Traded = tuple[int, float, float, int]
"""Time, price, size, side."""

TRADES: tuple[Traded, ...] = (
    (START + 5, 10.0, 0.1, 1),
    (START + 6, 12.0, 0.2, -1),
    (START + 7, 9.0, 0.3, 0),
    (START + 8, 11.0, 0.7, 1),
)


def added(running: RunningBars, *trades: Traded) -> RunningBars:
    for trade in trades:
        running.add(*trade)
    return running


def running_after(*trades: Traded) -> RunningBars:
    return added(RunningBars(NONE_RUNNING), *trades)


def bar_of(interval: int, trades: list[Traded]) -> Bar:
    """A bar by its definition."""
    prices = [price for _, price, _, _ in trades]
    return Bar(
        interval,
        floor(trades[0][0], interval),
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        left_sum([size for *_, size, _ in trades]),
        left_sum([price * size for _, price, size, _ in trades]),
        left_sum([size for *_, size, side in trades if side > 0]),
        left_sum([size for *_, size, side in trades if side < 0]),
        len(trades),
    )


def test_a_bar_is_the_left_fold_of_its_trades() -> None:
    second, *_ = running_after(*TRADES).current()
    assert second == Bar(
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


def test_bars_go_on_where_they_stood() -> None:
    first = running_after(*TRADES[:2]).current()
    assert added(RunningBars(first), *TRADES[2:]).current() == running_after(*TRADES).current()


def test_a_bar_begins_where_its_interval_does() -> None:
    starts = [bar.start for bar in running_after(*TRADES).current() if bar]
    assert starts == [START, START, START - 4 * MINUTE, START - 54 * MINUTE]


def test_there_is_no_bar_before_the_first_trade_nor_after_it_was_closed() -> None:
    assert RunningBars(NONE_RUNNING).current() == NONE_RUNNING
    running = running_after(*TRADES)
    assert len(list(running.closed(START + HOUR))) == len(SHORTEST_FIRST)
    assert running.current() == NONE_RUNNING
    assert [] == list(running.closed(START + 2 * HOUR))


def test_a_bar_has_ended_at_the_first_instant_after_it() -> None:
    running = running_after(*TRADES)
    assert [] == list(running.closed(START + SECOND - 1))
    assert [SECOND] == [bar.interval for bar in running.closed(START + SECOND)]


def test_nothing_of_a_closed_bar_is_left_in_the_next() -> None:
    running = running_after(*TRADES)
    list(running.closed(START + HOUR))
    later = [(ts + HOUR, price, size, side) for ts, price, size, side in TRADES]
    assert added(running, *later).current() == running_after(*later).current()


# Any tape

waits = st.sampled_from([0, SECOND // 3, SECOND, 20 * SECOND, 3 * MINUTE, 40 * MINUTE])
trades = st.tuples(waits, st.floats(1, 1e5), st.floats(1e-8, 1e4), st.sampled_from([-1, 0, 1]))


@given(st.lists(trades, min_size=1, max_size=60), st.sets(st.integers(0, 60)))
def test_every_bar_is_that_of_its_definition_however_the_tape_is_cut(
    steps: list[Traded], cuts: set[int]
) -> None:
    running, ts = RunningBars(NONE_RUNNING), START
    inside: dict[int, list[Traded]] = {interval: [] for interval in SHORTEST_FIRST}
    for number, (wait, price, size, side) in enumerate(steps):
        ts += wait
        ended = [each for each, of in inside.items() if of and ts >= floor(of[0][0], each) + each]
        assert list(running.closed(ts)) == [bar_of(each, inside[each]) for each in ended]
        for each in ended:
            inside[each] = []
        running.add(ts, price, size, side)
        for of in inside.values():
            of.append((ts, price, size, side))
        if number in cuts:
            running = RunningBars(running.current())
        assert running.current() == tuple(bar_of(each, of) for each, of in inside.items())


# As they were stored


@pytest.mark.parametrize("second_runs", [True, False])
def test_an_interval_that_is_new_begins_with_what_runs_of_a_shorter_one(*, second_runs: bool) -> None:
    second, minute, _, hour = running_after(*TRADES).current()
    assert minute
    stored = [bar for bar in (second if second_runs else None, minute, hour) if bar]
    five = msgspec.structs.replace(minute, interval=5 * MINUTE, start=START - 4 * MINUTE)
    assert restored(stored) == (second if second_runs else None, minute, five, hour)


def test_nothing_runs_where_nothing_was_stored() -> None:
    assert restored([]) == NONE_RUNNING
