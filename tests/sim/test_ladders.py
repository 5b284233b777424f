from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sim.ladders import Ladder, Side


def applied(side: Side, changes: list[tuple[int, int]]) -> Side:
    levels = {**side, **dict(changes)}
    return {price: size for price, size in levels.items() if size}


moves = st.lists(st.tuples(st.integers(100, 200), st.sampled_from([-1, 0, 1])))


@given(st.integers(), moves)
def test_the_changes_lead_from_each_book_to_the_next(seed: int, steps: list[tuple[int, int]]) -> None:
    ladder = Ladder(Random(seed), 150, 1000)
    bids, asks = ladder.bids, ladder.asks
    for best_bid, lean in steps:
        changes = ladder.move(best_bid, lean)
        bids, asks = applied(bids, changes.bids), applied(asks, changes.asks)
        assert (ladder.bids, ladder.asks) == (bids, asks)
        assert max(bids) == best_bid == min(asks) - 1


def test_the_mood_tilts_the_book_past_the_thresholds_of_pressure() -> None:
    ladder = Ladder(Random(1), 10_000, 1000)
    ratios = {}
    for lean in (-1, 0, 1):
        ladder.move(10_000 + 100 * lean, lean)
        bids, asks = (sum(size for _, size in sorted(side.items())) for side in (ladder.bids, ladder.asks))
        ratios[lean] = bids / asks
    assert ratios[-1] < 0.4
    assert 0.6 < ratios[0] < 1.6
    assert ratios[1] > 2.5
