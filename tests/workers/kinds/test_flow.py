import pytest

from market.signals import Direction
from market.times import SECOND
from tests.workers.kinds.tapes import START, bar, told_of
from workers.kinds.flow import Flow

BALANCED = [bar(second, 100.0, buy=1.0, sell=1.0) for second in range(30)]


def test_buyers_are_up_by_an_imbalance_done_by_hand() -> None:
    burst = bar(30, 101.0, buy=91.0, sell=1.0)
    signals = told_of(Flow(), [*BALANCED, burst])
    # 29 of the balanced bars and the burst: 29 + 91 = 120 bought, 29 + 1 = 30 sold
    assert [(signal.ts, signal.direction) for signal in signals] == [(burst.end, Direction.UP)]
    expected = {"imbalance": 90 / 150, "buy_volume": 120.0, "sell_volume": 30.0, "volume": 150.0}
    assert signals[0].evidence == pytest.approx(expected)
    assert signals[0].strength == 0.6
    assert signals[0].confidence == 1.0
    assert (signals[0].from_ts, signals[0].to_ts, signals[0].price) == (START + SECOND, burst.end, 101.0)


def test_an_imbalance_under_a_half_is_not() -> None:
    assert told_of(Flow(), [*BALANCED, bar(30, 101.0, buy=60.0, sell=1.0)]) == []


def test_sellers_are_down() -> None:
    signals = told_of(Flow(), [*BALANCED, bar(30, 100.0, buy=1.0, sell=91.0)])
    assert [(signal.direction, signal.strength) for signal in signals] == [(Direction.DOWN, -0.6)]


def test_the_condition_ends_at_a_quarter() -> None:
    burst = bar(30, 100.0, buy=91.0, sell=1.0)  # 120 bought, 30 sold: 0.6
    first = bar(31, 100.0, buy=1.0, sell=41.0)  # 120 bought, 70 sold: 0.26
    second = bar(32, 100.0, buy=1.0, sell=3.0)  # 120 bought, 72 sold: exactly 0.25
    signals = told_of(Flow(), [*BALANCED, burst, first, second])
    assert [(signal.ts, signal.direction) for signal in signals] == [
        (burst.end, Direction.UP),
        (second.end, Direction.ENDED),
    ]


def test_trades_that_tell_no_side_lower_the_confidence() -> None:
    quiet = [bar(second, 100.0, buy=1.0, sell=1.0, unknown=2.0) for second in range(30)]
    signals = told_of(Flow(), [*quiet, bar(30, 100.0, buy=91.0, sell=1.0, unknown=150.0 - 58.0)])
    assert [signal.confidence for signal in signals] == [150.0 / 300.0]


def test_a_venue_that_tells_no_side_has_no_flow() -> None:
    assert told_of(Flow(), [bar(second, 100.0, unknown=1.0) for second in range(90)]) == []


def test_nothing_is_told_before_30_bars() -> None:
    assert told_of(Flow(), [*BALANCED[:28], bar(28, 100.0, buy=91.0)]) == []
