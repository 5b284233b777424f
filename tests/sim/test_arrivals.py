from math import inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.arrivals import Arrivals
from sim.profiles import Phase, steady


def times(phases: list[Phase], seconds: float, seed: int = 7) -> list[float]:
    arrivals = Arrivals(Random(seed), phases)
    found = [arrivals.next()]
    while found[-1] < seconds:
        found.append(arrivals.next())
    return found[:-1]


@given(st.integers())
def test_times_only_grow(seed: int) -> None:
    found = times([Phase(inf, 50.0)], 5.0, seed)
    assert found == sorted(found)


@pytest.mark.parametrize("rate", [2.0, 100.0, 5_000.0])
def test_the_rate_is_that_of_the_phase(rate: float) -> None:
    seconds = 20_000 / rate
    assert 0.95 < len(times(list(steady(rate)), seconds)) / 20_000 < 1.05


def test_arrivals_come_in_clusters() -> None:
    """For Poisson the variance of counts is their mean; half an offspring each makes it four times that."""
    found = times(list(steady(100.0)), 200.0)
    counts = [0] * 200
    for at in found:
        counts[int(at)] += 1
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    assert 2.5 < variance / mean < 6.0


def test_phases_follow_each_other_and_the_last_never_ends() -> None:
    found = times([Phase(1.0, 100.0), Phase(1.0, 4000.0), Phase(1.0, 100.0)], 5.0)
    in_second = [sum(second <= at < second + 1 for at in found) for second in range(5)]
    assert 3700 < in_second[1] < 4300
    assert all(40 < in_second[second] < 200 for second in (0, 2, 3, 4))
