import numpy as np
import pytest
import talib

from market.signals import Direction
from market.times import SECOND
from tests.workers.kinds.tapes import START, bar, random_bars, random_closes, told_of
from workers.kinds.closes import Closes
from workers.kinds.momentum import Momentum

WARM_UP = 8 * 26


def test_the_divergence_is_that_of_ta_libs_averages_over_the_same_windows() -> None:
    values = random_closes(1, WARM_UP)
    closes = Closes(tuple(range(WARM_UP)), tuple(values))
    reading = Momentum().read(closes, bar(0, values[-1]))
    fast = talib.EMA(np.array(values[-96:]), timeperiod=12)[-1]
    slow = talib.EMA(np.array(values), timeperiod=26)[-1]
    assert reading.evidence["fast"] == pytest.approx(fast, rel=1e-12)
    assert reading.evidence["slow"] == pytest.approx(slow, rel=1e-12)
    assert reading.value == pytest.approx((fast / slow - 1) * 10_000, rel=1e-6)


def test_a_rise_after_a_flat_warm_up_is_told_at_the_close_that_parts_the_averages() -> None:
    flat = [bar(second, 100.0) for second in range(WARM_UP)]
    first = bar(WARM_UP, 100.1)
    signals = told_of(Momentum(), [*flat, first])
    fast, slow = 100.0 + 0.1 * 2 / 13, 100.0 + 0.1 * 2 / 27
    divergence = (fast - slow) / slow * 10_000
    assert [(signal.ts, signal.direction) for signal in signals] == [(first.end, Direction.UP)]
    assert signals[0].evidence == pytest.approx({"fast": fast, "slow": slow, "divergence_bps": divergence})
    assert signals[0].strength == pytest.approx(divergence / 5.0)
    assert signals[0].price == 100.1
    assert (signals[0].from_ts, signals[0].to_ts) == (START + SECOND, first.end)


def test_a_fall_mirrors_a_rise() -> None:
    flat = [bar(second, 100.0) for second in range(WARM_UP)]
    signals = told_of(Momentum(), [*flat, bar(WARM_UP, 99.9)])
    assert [signal.direction for signal in signals] == [Direction.DOWN]


def test_nothing_is_told_before_208_bars() -> None:
    rise = [bar(second, 100.0 + (second > 100) * second) for second in range(WARM_UP - 1)]
    assert told_of(Momentum(), rise) == []


def test_it_begins_when_the_averages_have_crossed_and_are_well_apart() -> None:
    signals = told_of(Momentum(), random_bars(seed=3, seconds=1_500))
    signs = {Direction.UP: 1, Direction.DOWN: -1}
    begun = [signs[s.direction] * s.evidence["divergence_bps"] for s in signals if s.direction in signs]
    assert len(begun) > 3
    assert min(begun) >= 0.5


def test_it_ends_when_the_averages_cross_back() -> None:
    closes = [100.0] * WARM_UP + [100.1] * 3 + [99.8, 99.8]
    signals = told_of(Momentum(), [bar(second, close) for second, close in enumerate(closes)])
    assert [signal.direction for signal in signals] == [Direction.UP, Direction.ENDED]
    assert signals[1].evidence["fast"] <= signals[1].evidence["slow"]


def test_strength_does_not_exceed_one() -> None:
    flat = [bar(second, 100.0) for second in range(WARM_UP)]
    assert [signal.strength for signal in told_of(Momentum(), [*flat, bar(WARM_UP, 200.0)])] == [1.0]


def test_confidence_is_the_share_of_seconds_with_trades() -> None:
    sparse = [bar(2 * second, 100.0) for second in range(WARM_UP)]
    signals = told_of(Momentum(), [*sparse, bar(2 * WARM_UP, 101.0)])
    assert [signal.confidence for signal in signals] == [WARM_UP / (2 * WARM_UP - 1)]
