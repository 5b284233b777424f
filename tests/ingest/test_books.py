import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.books import Level, OrderBook

BIDS: list[Level] = [(10.0, 1.0), (9.0, 2.0)]
ASKS: list[Level] = [(11.0, 3.0), (12.0, 4.0)]


def test_the_top_is_best_first_on_both_sides() -> None:
    book = OrderBook()
    book.replace(reversed(BIDS), reversed(ASKS))
    assert ((10.0, 9.0), (1.0, 2.0), (11.0, 12.0), (3.0, 4.0)) == book.top()
    assert ((10.0,), (1.0,), (11.0,), (3.0,)) == book.top(1)


def test_size_zero_removes_a_level_and_removing_nothing_is_nothing() -> None:
    book = OrderBook()
    book.replace(BIDS, ASKS)
    book.update([(10.0, 0.0), (8.5, 0.0)], [(11.0, 0.0), (12.0, 5.0)])
    assert ((9.0,), (2.0,), (12.0,), (5.0,)) == book.top()


def test_a_snapshot_forgets_what_was_before() -> None:
    book = OrderBook()
    book.replace(BIDS, ASKS)
    book.replace([(1.0, 1.0)], [])
    assert ((1.0,), (1.0,), (), ()) == book.top()


def test_a_book_of_limited_depth_forgets_the_worst_levels() -> None:
    book = OrderBook(depth=2)
    book.replace(BIDS, ASKS)
    book.update([(9.5, 7.0)], [(11.5, 8.0)])
    book.update([(10.0, 0.0)], [(11.0, 0.0)])
    assert ((9.5,), (7.0,), (11.5,), (8.0,)) == book.top()


levels = st.lists(st.tuples(st.integers(1, 30).map(float), st.integers(0, 3).map(float)))


@pytest.mark.slow
@given(st.lists(st.tuples(levels, levels)))
def test_the_top_is_what_a_plain_sort_gives(updates: list[tuple[list[Level], list[Level]]]) -> None:
    book, bids, asks = OrderBook(), dict[float, float](), dict[float, float]()
    for bid_levels, ask_levels in updates:
        book.update(bid_levels, ask_levels)
        bids.update(bid_levels)
        asks.update(ask_levels)
    best_bids = sorted(((price, size) for price, size in bids.items() if size), reverse=True)[:10]
    best_asks = sorted((price, size) for price, size in asks.items() if size)[:10]
    top = book.top()
    assert best_bids == list(zip(top.bid_prices, top.bid_sizes, strict=True))
    assert best_asks == list(zip(top.ask_prices, top.ask_sizes, strict=True))


@pytest.mark.parametrize(("best_bid", "crossed"), [(10.9, False), (11.0, True), (11.5, True)])
def test_a_book_is_crossed_when_somebody_bids_what_somebody_asks(best_bid: float, *, crossed: bool) -> None:
    book = OrderBook()
    book.replace([(best_bid, 1.0)], ASKS)
    assert crossed is book.top().crossed
    book.replace([(best_bid, 1.0)], [])
    assert not book.top().crossed
