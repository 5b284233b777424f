import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.books import Top
from ingest.sampling import EVERY, Sampler, Sampling
from market.times import SECOND

SLOT = SECOND // 10


def top(bid: float = 100.0, ask: float = 101.0, bid_size: float = 1.0, ask_size: float = 1.0) -> Top:
    return Top((bid, bid - 1), (bid_size, 1.0), (ask, ask + 1), (ask_size, 1.0))


@pytest.fixture
def sampler() -> Sampler:
    sampler = Sampler(Sampling())
    assert sampler.due(SLOT, top())
    sampler.wrote(SLOT, top())
    return sampler


def test_one_row_a_slot_is_written(sampler: Sampler) -> None:
    assert not sampler.due(SLOT, top())
    assert not sampler.due(2 * SLOT - 1, top())
    assert sampler.due(2 * SLOT, top())


def test_a_slot_that_has_passed_does_not_come_again(sampler: Sampler) -> None:
    sampler.wrote(3 * SLOT, top())
    assert not sampler.due(2 * SLOT, top())


@pytest.mark.parametrize(
    ("changed", "large"),
    [
        (top(bid=100.05), False),
        (top(bid=100.06), True),
        (top(ask=100.94), True),
        (top(bid_size=1.9), False),
        (top(bid_size=2.1), True),
        (top(ask_size=2.1), True),
        (Top((), (), (101.0, 102.0), (1.0, 1.0)), True),
    ],
)
def test_a_large_change_is_written_at_once(sampler: Sampler, changed: Top, *, large: bool) -> None:
    assert large is sampler.due(SLOT + 1, changed)


def test_small_changes_add_up_to_a_large_one(sampler: Sampler) -> None:
    assert not sampler.due(SLOT + 1, top(bid=100.04))
    assert sampler.due(SLOT + 2, top(bid=100.08))


def test_without_slots_every_update_is_written() -> None:
    sampler = Sampler(EVERY)
    sampler.wrote(0, top())
    assert sampler.due(0, top())


prices = st.integers(9000, 9100).map(lambda price: price / 10)
updates = st.lists(st.tuples(st.integers(0, 20 * SLOT), prices, st.integers(1, 9).map(float)))


@pytest.mark.slow
@given(updates)
def test_a_book_is_never_further_from_its_last_row_than_a_slot_or_a_large_change(
    updates: list[tuple[int, float, float]],
) -> None:
    sampler = Sampler(Sampling())
    rows: list[tuple[int, Top]] = []
    for ts, price, size in sorted(updates):
        book = top(price, price + 1, size)
        if sampler.due(ts, book):
            sampler.wrote(ts, book)
            rows.append((ts, book))
        written_at, written = rows[-1]
        assert ts // SLOT == written_at // SLOT
        assert abs(price - written.bid_prices[0]) <= written.bid_prices[0] * 0.0005
        assert 1 / 1.5 < (size + 1) / (written.bid_sizes[0] + 1) < 1.5
