from math import inf

import pytest

from market.errors import InvalidInputError
from sim.profiles import ends, named, steady


def test_an_earnings_release_is_a_calm_a_second_of_15000_half_a_minute_of_8000_and_an_aftermath() -> None:
    assert [(10, 500), (11, 15_000), (41, 8_000), (inf, 2_000)] == ends(named("earnings"))


def test_it_can_be_stretched() -> None:
    assert [1.0, 1.1, 4.1, inf] == [round(end, 9) for end, _ in ends(named("earnings", 0.1))]


def test_a_steady_rate_never_ends() -> None:
    assert [(inf, 200.0)] == ends(steady(200.0))


@pytest.mark.parametrize(("name", "stretch"), [("crash", 1.0), ("earnings", 0.0)])
def test_another_profile_is_refused(name: str, stretch: float) -> None:
    with pytest.raises(InvalidInputError, match="choose one of earnings"):
        named(name, stretch)
