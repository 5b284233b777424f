"""No venue has all hands, and no backfill: what heals always finds one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.chunks import BACKFILL, HEALING, Hands
from ingest.history.slots import Held, free

held = st.lists(st.builds(Held, st.sampled_from(["binance", "kraken"]), st.sampled_from([BACKFILL, "heal"])))


def filled(slots: int, wish: list[Held]) -> list[Held]:
    """Fill hands in turn with what is wished for, as far as they may take it."""
    at: list[Held] = []
    for each in wish:
        if len(at) < slots and may(free(slots, at), each):
            at.append(each)
    return at


def may(hands: Hands, each: Held) -> bool:
    crowded = each.kind == BACKFILL and each.exchange in hands.crowded
    return each.kind in hands.kinds and each.exchange not in hands.busy and not crowded


@pytest.mark.slow
@given(st.integers(2, 8), held)
def test_a_hand_is_left_for_other_venues_and_one_for_what_heals(slots: int, wish: list[Held]) -> None:
    at = filled(slots, wish)
    assert sum(each.kind == BACKFILL for each in at) < slots
    for exchange in ("binance", "kraken"):
        assert sum(each.exchange == exchange for each in at) < slots


def test_idle_hands_take_anything() -> None:
    assert free(4, []) == Hands()


def test_a_venue_that_is_backfilled_leaves_hands_to_others() -> None:
    two = [Held("binance", BACKFILL)] * 2
    assert free(4, two).crowded == ("binance",)
    assert free(4, [*two, Held("kraken", BACKFILL)]).kinds == HEALING


def test_the_only_hand_takes_what_comes_first() -> None:
    assert free(1, []) == Hands()
