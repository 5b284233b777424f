import msgspec
import pytest

from market.depths import Depth
from market.signals import Direction, Signal
from market.times import SECOND
from tests.workers.kinds.tapes import START, depth, told_of
from workers.kinds.pressure import Pressure

CALM = depth(START)
LATER = START + SECOND


def told_after_calm(*depths: Depth) -> list[Signal]:
    return told_of(Pressure(), [CALM, *depths])


def test_bids_of_two_and_a_half_times_the_asks_are_up() -> None:
    signals = told_after_calm(depth(LATER, bids=2.5, asks=1.0))
    assert [(signal.ts, signal.direction) for signal in signals] == [(LATER, Direction.UP)]
    # bids at 99 and asks at 101: the middle is 100, the spread 2 of 100
    evidence = {"ratio": 2.5, "bid_size": 12.5, "ask_size": 5.0, "spread_bps": 200.0, "levels": 5.0}
    assert signals[0].evidence == evidence
    assert signals[0].price == 100.0
    assert signals[0].strength == pytest.approx(1.5 / 3.5)
    assert signals[0].confidence == pytest.approx(10 / 210)
    assert (signals[0].from_ts, signals[0].to_ts) == (LATER, LATER)


def test_a_ratio_below_is_not() -> None:
    assert told_after_calm(depth(LATER, bids=2.4999, asks=1.0)) == []


def test_bids_of_four_tenths_of_the_asks_are_down() -> None:
    assert [signal.direction for signal in told_after_calm(depth(LATER, bids=0.4))] == [Direction.DOWN]
    assert told_after_calm(depth(LATER, bids=0.4001)) == []


def test_it_ends_when_the_sides_are_even() -> None:
    signals = told_after_calm(depth(LATER, bids=3.0), depth(LATER + 1, bids=1.1), depth(LATER + 2, bids=1.0))
    assert [(signal.ts, signal.direction) for signal in signals] == [
        (LATER, Direction.UP),
        (LATER + 2, Direction.ENDED),
    ]


def test_a_minute_tells_one_beginning() -> None:
    flips = [depth(LATER + second * SECOND, bids=3.0 if second % 2 else 1.0) for second in range(180)]
    begun = [s.ts // (60 * SECOND) for s in told_after_calm(*flips) if s.direction is Direction.UP]
    assert begun == sorted(set(begun))
    assert len(begun) == 4


def test_only_the_best_five_levels_count() -> None:
    ten = depth(LATER, bids=1.0)
    deep = msgspec.structs.replace(
        ten, bid_sizes=(1.0,) * 5 + (900.0,) * 5, bid_prices=tuple(map(float, range(10)))
    )
    assert told_after_calm(deep) == []


def test_a_thin_book_is_compared_over_the_levels_that_both_sides_have() -> None:
    thin = msgspec.structs.replace(depth(LATER, bids=3.0), ask_sizes=(1.0, 1.0))
    signals = told_after_calm(thin)
    assert [(s.evidence["levels"], s.evidence["ratio"]) for s in signals] == [(2.0, 3.0)]
    assert [s.confidence for s in signals] == [pytest.approx(2 / 5 * 10 / 210)]


def test_nothing_is_measured_where_a_side_is_empty() -> None:
    empty = msgspec.structs.replace(depth(LATER, bids=3.0), ask_prices=(), ask_sizes=())
    assert told_after_calm(empty) == []
    assert told_of(Pressure(), [empty]) == []
