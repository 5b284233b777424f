from hypothesis import given
from hypothesis import strategies as st

from ingest.books import Level, OrderBook, Progress, SequencedBook, Update

BIDS: list[Level] = [(10.0, 1.0), (9.0, 2.0)]
ASKS: list[Level] = [(11.0, 3.0), (12.0, 4.0)]


def update(previous: int, final: int, *, strict: bool = True, bids: list[Level] | None = None) -> Update:
    return Update(
        previous=previous,
        final=final,
        strict=strict,
        ts=0,
        received_at=0,
        frame=b"",
        bids=bids or [],
        asks=[],
    )


def finals(progress: Progress) -> list[int]:
    return [each.final for each, _ in progress.applied]


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


def test_a_snapshot_older_than_the_first_kept_update_is_asked_for_again() -> None:
    book = SequencedBook()
    assert book.update(update(100, 110)).snapshot_wanted
    assert not book.update(update(110, 120)).snapshot_wanted
    again = book.snapshot(90, BIDS, ASKS)
    assert (True, []) == (again.snapshot_wanted, finals(again))
    assert [110, 120] == finals(book.snapshot(105, BIDS, ASKS))


def test_each_update_that_waited_gives_the_book_as_it_was_then() -> None:
    book = SequencedBook()
    book.update(update(100, 110, bids=[(10.5, 1.0)]))
    book.update(update(110, 120, bids=[(10.5, 0.0)]))
    tops = [top.bid_prices[0] for _, top in book.snapshot(100, BIDS, ASKS).applied]
    assert [10.5, 10.0] == tops


def test_updates_of_a_venue_that_is_not_strict_may_overlap() -> None:
    book = SequencedBook()
    book.snapshot(100, BIDS, ASKS)
    assert [103] == finals(book.update(update(98, 103, strict=False)))
    assert [105] == finals(book.update(update(101, 105, strict=False)))
    assert book.update(update(106, 108, strict=False)).snapshot_wanted


def test_an_old_update_is_repeated() -> None:
    book = SequencedBook()
    book.snapshot(100, BIDS, ASKS)
    assert book.update(update(90, 100)).repeated == 1


def test_a_break_among_the_kept_updates_is_found_when_they_are_applied() -> None:
    book = SequencedBook()
    for each in (update(100, 110), update(115, 120), update(120, 130)):
        book.update(each)
    caught_up = book.snapshot(100, BIDS, ASKS)
    assert ([110], True) == (finals(caught_up), caught_up.snapshot_wanted)
    assert [130] == finals(book.snapshot(120, BIDS, ASKS))


def test_no_more_updates_are_kept_than_the_bound() -> None:
    book = SequencedBook(pending=2)
    rejected = [book.update(update(number, number + 1)).rejected for number in range(4)]
    assert [0, 0, 1, 1] == rejected
    assert book.close().rejected == 2
