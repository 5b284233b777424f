import msgspec

from market.bars import Bar
from market.times import HOUR, MINUTE, SECOND
from tests.workers.kinds.tapes import START
from workers.running import RunningBar

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
