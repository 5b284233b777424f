from math import sqrt
from statistics import mean, pstdev

import pytest

from market.signals import Direction
from market.times import SECOND
from tests.workers.kinds.tapes import START, bar, random_bars, told_of
from workers.kinds.reversion import Reversion, mean_and_deviation


def test_mean_and_deviation_by_hand() -> None:
    assert mean_and_deviation((2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0)) == (5.0, 2.0)


def test_mean_and_deviation_of_a_tape_are_those_of_the_definition() -> None:
    closes = [bar.close for bar in random_bars(seed=2, seconds=200)]
    assert mean_and_deviation(closes) == pytest.approx((mean(closes), pstdev(closes)))


@pytest.mark.parametrize("price", [0.1, 61_800.3, 1e-8])
def test_equal_closes_deviate_by_exactly_nothing(price: float) -> None:
    assert mean_and_deviation([price] * 60) == (price, 0.0)


def test_a_jump_up_after_a_quiet_minute_is_down_by_a_z_score_done_by_hand() -> None:
    quiet = [bar(second, 100.0) for second in range(60)]
    jump = bar(60, 160.0)
    signals = told_of(Reversion(), [*quiet, jump])
    assert [signal.direction for signal in signals] == [Direction.DOWN]
    # one of 60 closes is 60 higher: mean 101, variance (59 * 1 + 59 ** 2) / 60 = 59
    evidence = {"z_score": 59 / sqrt(59), "mean": 101.0, "deviation": sqrt(59)}
    assert signals[0].evidence == pytest.approx(evidence)
    assert signals[0].strength == -1.0
    assert signals[0].confidence == 1.0
    assert (signals[0].from_ts, signals[0].to_ts, signals[0].price) == (START + SECOND, jump.end, 160.0)


def test_a_jump_down_is_up_and_ends_within_one_deviation() -> None:
    quiet = [bar(second, 100.0) for second in range(60)]
    later = [bar(60, 94.0), bar(61, 94.0), bar(62, 100.0)]
    signals = told_of(Reversion(), [*quiet, *later])
    assert [(signal.ts, signal.direction) for signal in signals] == [
        (later[0].end, Direction.UP),
        (later[2].end, Direction.ENDED),
    ]


def test_a_flat_tape_tells_nothing() -> None:
    assert told_of(Reversion(), [bar(second, 100.0) for second in range(200)]) == []


def test_nothing_is_told_before_60_bars() -> None:
    closes = [100.0] * 58 + [160.0]
    assert told_of(Reversion(), [bar(second, close) for second, close in enumerate(closes)]) == []
