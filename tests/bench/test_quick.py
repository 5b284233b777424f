"""Ratios beside those that were recorded."""

from bench.quick import low

RECORDED = {"all new": 0.5, "half repeated": 0.4}


def test_a_ratio_fails_below_half_of_the_recorded_one_in_every_round() -> None:
    slow = {"all new": 0.24, "half repeated": 0.3}
    assert ["all new"] == low(RECORDED, [slow, slow, slow])


def test_one_good_round_is_enough() -> None:
    slow, good = {"all new": 0.1, "half repeated": 0.1}, {"all new": 0.3, "half repeated": 0.1}
    assert ["half repeated"] == low(RECORDED, [slow, good, slow])


def test_a_row_that_is_not_measured_does_not_fail() -> None:
    assert [] == low(RECORDED, [{}])
