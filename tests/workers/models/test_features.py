"""What a model sees of a minute."""

from math import isfinite, log

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.bars import Bar
from market.minutes import Minute
from market.times import MINUTE
from workers.models import features

BAR = Bar(MINUTE, 0, 100.0, 110.0, 95.0, 105.0, 8.0, 800.0, 6.0, 2.0, 20)


def test_features_are_the_numbers_of_one_bar() -> None:
    assert {
        "return": log(1.05) * 10_000,
        "range": log(110 / 95) * 10_000,
        "volume": log(8),
        "trades": log(20),
        "imbalance": 0.5,
        "spread": 1.5,
    } == features.measured(Minute(BAR, 1.5))


def test_a_minute_without_a_quote_has_no_spread() -> None:
    seen = features.measured(Minute(BAR))
    assert seen is not None
    assert "spread" not in seen
    assert features.row(seen, features.ALL) is None
    assert features.row(seen, ("trades", "imbalance")) == (log(20), 0.5)


@pytest.mark.parametrize("field", ["open", "low", "close", "volume"])
def test_a_bar_without_a_logarithm_is_not_measured(field: str) -> None:
    assert features.measured(Minute(msgspec.structs.replace(BAR, **{field: 0.0}))) is None


def test_a_spread_that_is_no_number_is_not_measured() -> None:
    assert features.measured(Minute(BAR, float("nan"))) is None


def test_a_tape_that_tells_no_side_is_balanced() -> None:
    untold = msgspec.structs.replace(BAR, buy_volume=0.0, sell_volume=0.0)
    seen = features.measured(Minute(untold))
    assert seen is not None
    assert 0.0 == seen["imbalance"]


@given(st.integers(0, 20))
def test_the_spread_is_looked_at_when_nine_of_ten_minutes_have_one(missing: int) -> None:
    minutes = [Minute(BAR, None if number < missing else 1.0) for number in range(20)]
    assert (missing <= 2) == (features.chosen(minutes) == features.ALL)


prices = st.floats(1e-8, 1e8)


@given(prices, prices, st.floats(1e-8, 1e12), st.integers(1, 10**6))
def test_whatever_trades_has_finite_features(one: float, other: float, volume: float, trades: int) -> None:
    low, high = min(one, other), max(one, other)
    bar = Bar(MINUTE, 0, one, high, low, other, volume, volume * low, volume, 0.0, trades)
    seen = features.measured(Minute(bar))
    assert seen is not None
    assert all(map(isfinite, seen.values()))
