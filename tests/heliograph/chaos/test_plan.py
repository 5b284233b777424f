"""What goes wrong, and when."""

from hypothesis import given
from hypothesis import strategies as st

from heliograph.chaos.plan import CALM_AFTER_SECONDS, CALM_BEFORE_SECONDS, House, plan
from sim.faults import KINDS

VENUES = ["binance", "kraken"]


def test_the_same_seed_gives_the_same_strikes_and_another_gives_others() -> None:
    assert plan(7, 600, VENUES) == plan(7, 600, VENUES) != plan(8, 600, VENUES)


def test_ten_minutes_are_enough_for_every_kind() -> None:
    assert {*KINDS, *House} == {strike.what for strike in plan(7, 600, VENUES)}


def test_a_run_may_be_short_where_strikes_come_closer_together() -> None:
    for seed in range(100):
        assert {*KINDS, *House} == {strike.what for strike in plan(seed, 80, VENUES, 1.4)}


def test_only_what_is_chosen_goes_wrong() -> None:
    strikes = plan(7, 600, VENUES, kinds=["kill-worker", "reset"])
    assert {"kill-worker", "reset"} == {strike.what for strike in strikes}


def test_what_history_forgets_is_dropped_from_the_socket_too() -> None:
    strikes = plan(7, 600, VENUES)
    forgetful = [strike for strike in strikes if strike.what == "short_history"]
    assert forgetful
    assert all(strike._replace(what="drop") in strikes for strike in forgetful)


@given(st.integers(), st.floats(1, 3600))
def test_it_is_calm_before_and_after(seed: int, seconds: float) -> None:
    strikes = plan(seed, seconds, VENUES)
    begins = [strike.at_seconds for strike in strikes]
    ends = [strike.at_seconds + (strike.seconds or 0.0) for strike in strikes]
    assert begins == sorted(begins)
    assert min(begins) >= min(CALM_BEFORE_SECONDS, seconds * 0.4)
    assert max(ends) <= seconds - min(CALM_AFTER_SECONDS, seconds * 0.4) + 1e-6
    assert all((strike.venue in VENUES) == (strike.what in KINDS) for strike in strikes)
