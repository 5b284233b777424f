from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.walks import Walk


def leans(walk: Walk, seconds: int) -> list[int]:
    told = []
    for tenth in range(seconds * 10):
        walk.advance(tenth / 10)
        told.append(walk.lean)
    return told


@given(st.integers())
def test_it_starts_calm_and_a_burst_comes_within_four_seconds(seed: int) -> None:
    told = leans(Walk(Random(seed), 100.0), 5)
    assert told[0] == 0
    assert told[-1] != 0


def test_rallies_lift_the_price_and_slumps_lower_it() -> None:
    walk = Walk(Random(3), 60_000.0)
    gains = {-1: 0.0, 0: 0.0, 1: 0.0}
    for tenth in range(6000):
        before = walk.price
        walk.advance(tenth / 10)
        gains[walk.lean] += walk.price / before - 1
    assert gains[-1] < -0.01 < gains[0] < 0.01 < gains[1]


@pytest.mark.slow
def test_both_directions_come_and_the_price_stays_near_home() -> None:
    walk = Walk(Random(5), 60_000.0)
    assert set(leans(walk, 36_000)) == {-1, 0, 1}
    assert 0.8 < walk.price / 60_000.0 < 1.25
