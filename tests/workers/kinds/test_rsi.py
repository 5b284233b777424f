import numpy as np
import pytest
import talib

from market.signals import Direction
from market.times import SECOND
from tests.workers.kinds.tapes import START, bar, random_closes, told_of
from workers.kinds.rsi import Rsi, average_moves, relative_strength_index

WARM_UP = 8 * 14


@pytest.mark.parametrize("seed", range(5))
def test_the_index_is_that_of_ta_lib_over_the_same_window(seed: int) -> None:
    closes = random_closes(seed, WARM_UP)
    expected = talib.RSI(np.array(closes), timeperiod=14)[-1]
    assert relative_strength_index(*average_moves(closes, 14)) == pytest.approx(expected, rel=1e-10)


def test_averages_are_seeded_with_the_mean_and_then_smoothed() -> None:
    gain, loss = average_moves((10.0, 12.0, 11.0, 15.0), period=2)
    assert (gain, loss) == ((2.0 / 2 + 4.0) / 2, (1.0 / 2 + 0.0) / 2)


def test_an_index_of_rises_alone_is_100_and_of_falls_alone_0() -> None:
    assert relative_strength_index(1.0, 0.0) == 100.0
    assert relative_strength_index(0.0, 1.0) == 0.0


def test_prices_that_do_not_move_are_in_the_middle() -> None:
    assert relative_strength_index(*average_moves([100.0] * WARM_UP, 14)) == 50.0


def test_oversold_is_up_and_ends_at_40() -> None:
    swings = [100.0 + second % 2 for second in range(WARM_UP)]
    fall = [100.0 - step for step in range(1, 16)]
    recovery = [85.0 + step for step in range(1, 6)]
    closes = [*swings, *fall, *recovery]
    signals = told_of(Rsi(), [bar(second, close) for second, close in enumerate(closes)])
    indexes = [signal.evidence["rsi"] for signal in signals]
    assert [signal.direction for signal in signals] == [Direction.UP, Direction.ENDED]
    assert indexes[0] <= 30.0
    assert 40.0 <= indexes[1] < 60.0


def test_overbought_is_down() -> None:
    swings = [100.0 + second % 2 for second in range(WARM_UP)]
    rise = [101.0 + step for step in range(1, 16)]
    signals = told_of(Rsi(), [bar(second, close) for second, close in enumerate([*swings, *rise])])
    assert [signal.direction for signal in signals] == [Direction.DOWN]
    assert signals[0].evidence["rsi"] >= 70.0
    assert signals[0].strength == (50.0 - signals[0].evidence["rsi"]) / 50.0


def test_a_signal_bounds_its_input() -> None:
    flat = [bar(second, 100.0) for second in range(WARM_UP)]
    last = bar(WARM_UP, 101.0)
    signals = told_of(Rsi(), [*flat, last])
    assert [(signal.from_ts, signal.to_ts) for signal in signals] == [(START + SECOND, last.end)]
    assert [signal.confidence for signal in signals] == [1.0]


def test_nothing_is_told_before_112_bars() -> None:
    assert told_of(Rsi(), [bar(second, 100.0 + second) for second in range(WARM_UP - 1)]) == []
