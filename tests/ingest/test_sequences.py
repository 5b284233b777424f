"""Numbered updates, by examples and by any interleaving of what a network may do to them."""

import tracemalloc
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ingest.books import Cause, Level, OrderBook, State, Top
from ingest.rooms import Room
from ingest.sequences import Progress, SequencedBook, Update

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


def test_all_books_share_one_room_for_updates_that_wait() -> None:
    heavy = [(float(price), 1.0) for price in range(1, 51)]
    room = Room(bound=10 * update(0, 1, bids=heavy).weight)
    books = [SequencedBook(room=room) for _ in range(4)]
    rejected = 0
    for number in range(8):
        for book in books:
            rejected += book.update(update(number, number + 1, bids=heavy)).rejected
            assert not room.overfull
    assert 4 * 8 - 10 == rejected
    assert 10 == sum(book.close().rejected for book in books)
    assert 0 == room.held


def test_an_update_weighs_what_it_holds() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = [update_of(25 + number % 2, number) for number in range(200)]
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert sum(each.weight for each in kept) == pytest.approx(held, rel=0.35)


def update_of(levels: int, number: int) -> Update:
    """Return an update as a decoder makes it, nothing of it shared with another."""
    sides = [[(price + number / 997, price / 7 + number / 991) for price in range(levels)] for _ in "ba"]
    frame = bytes(40 * levels)
    return Update(
        previous=number + 10**9,
        final=number + 2 * 10**9,
        strict=True,
        ts=number + 10**15,
        received_at=number + 10**15 + 1,
        frame=frame,
        bids=sides[0],
        asks=sides[1],
    )


def test_a_crossed_snapshot_begins_no_book() -> None:
    book = SequencedBook()
    assert book.snapshot(100, [(11.0, 1.0)], ASKS).snapshot_wanted
    assert not book.update(update(100, 101)).applied
    assert not book.snapshot(100, BIDS, ASKS).snapshot_wanted
    assert book.state is State.VALID


def test_a_crossed_book_waits_for_a_snapshot_that_holds_what_crossed_it() -> None:
    book = SequencedBook()
    book.snapshot(100, BIDS, ASKS)
    crossed = book.update(update(100, 101, bids=[(11.0, 1.0)]))
    assert ([], Cause.CROSSED, True) == (crossed.applied, crossed.cause, crossed.snapshot_wanted)
    assert [102] == finals(book.update(update(101, 102))) + finals(book.snapshot(101, BIDS, ASKS))


def ten_known(book: SequencedBook) -> tuple[list[Level], list[Level]]:
    """Begin ``book`` from ten levels a side, and return them with two more."""
    bids: list[Level] = [(100.0 - price, 1.0) for price in range(12)]
    asks: list[Level] = [(101.0 + price, 1.0) for price in range(12)]
    book.snapshot(100, bids[:10], asks[:10])
    return bids, asks


def test_of_a_top_beyond_what_the_snapshot_knew_only_the_known_is_told() -> None:
    book = SequencedBook(limit=10)
    bids, asks = ten_known(book)
    below: list[Level] = [(100.0, 0.0), (88.0, 7.0)]  # a level that others, not known, may stand above
    swept = book.update(update(100, 101, bids=below))
    ((_, top),) = swept.applied
    assert [price for price, _ in bids[1:10]] == list(top.bid_prices)
    assert [price for price, _ in asks[:10]] == list(top.ask_prices)
    assert (State.VALID, None, True) == (book.state, swept.cause, swept.snapshot_wanted)


def test_a_book_of_which_nothing_is_known_is_not_told() -> None:
    book = SequencedBook(limit=10)
    bids, _ = ten_known(book)
    gone: list[Level] = [(price, 0.0) for price, _ in bids[:10]]
    swept = book.update(update(100, 101, bids=gone))
    assert ([], 1, Cause.EXHAUSTED, True) == (
        swept.applied,
        swept.rejected,
        swept.cause,
        swept.snapshot_wanted,
    )
    assert [103] == finals(book.update(update(101, 103, bids=[(100.5, 1.0)])))
    assert book.state is State.VALID


def test_a_fresh_snapshot_widens_a_book_that_was_exhausted() -> None:
    book = SequencedBook(limit=10)
    bids, asks = ten_known(book)
    book.update(update(100, 101, bids=[(100.0, 0.0)]))
    book.update(update(101, 102, bids=[(99.0, 0.0)]))
    widened = book.snapshot(102, bids[2:], asks[:10])
    assert not widened.snapshot_wanted
    (applied,) = book.update(update(102, 103)).applied
    assert [price for price, _ in bids[2:]] == list(applied[1].bid_prices)


class Venue:
    """Makes numbered changes of a book, and remembers each book as it was."""

    def __init__(self, seed: int, *, strict: bool) -> None:
        self._random = Random(seed)
        self._strict = strict
        self._book = OrderBook()
        self._bids = {float(price): 1.0 for price in range(20, 60)}
        self._asks = {float(price): 1.0 for price in range(60, 100)}
        self.final = 100
        self.tops: dict[int, Top] = {}

    def change(self) -> Update:
        previous = self.final
        self.final += self._random.randint(1, 3)
        middle = self._random.randint(35, 85)
        bids = self._move(self._bids, range(20, middle), range(middle, 100))
        asks = self._move(self._asks, range(middle, 100), range(20, middle))
        self._book.replace(self._bids.items(), self._asks.items())
        self.tops[self.final] = self._book.top()
        return Update(
            previous=previous,
            final=self.final,
            strict=self._strict,
            ts=self.final,
            received_at=0,
            frame=b"",
            bids=bids,
            asks=asks,
        )

    def snapshot(self, limit: int) -> tuple[int, list[Level], list[Level]]:
        bids = sorted(self._bids.items(), reverse=True)[:limit]
        return self.final, bids, sorted(self._asks.items())[:limit]

    def _move(self, side: dict[float, float], inside: range, outside: range) -> list[Level]:
        changed = {float(price): 0.0 for price in outside if price in side}
        for drawn in self._random.sample(inside, 3):
            changed[float(drawn)] = float(self._random.randint(0, 2))
        side.update(changed)
        for price in [price for price, size in side.items() if not size]:
            del side[price]
        return list(changed.items())


class Network(RuleBasedStateMachine):
    """What is told of a book is the venue's own, whatever is lost, repeated, late, or out of order."""

    @initialize(
        seed=st.integers(0, 2**32),
        strict=st.booleans(),
        limit=st.sampled_from([12, 20, 100]),
        kept=st.integers(2, 50),
    )
    def begin(self, *, seed: int, strict: bool, limit: int, kept: int) -> None:
        self.venue = Venue(seed, strict=strict)
        self.limit = limit
        self.book = SequencedBook(limit, kept)
        self.last: Update | None = None
        self.old = self.venue.snapshot(limit)
        self.wanted = False
        self.delivered = self.settled = 0
        self.told: list[int] = []

    @rule(times=st.integers(1, 4))
    def deliver(self, times: int) -> None:
        for _ in range(times):
            self._deliver(self.venue.change())

    @rule()
    def lose(self) -> None:
        self.venue.change()

    @rule()
    def repeat(self) -> None:
        if self.last:
            self._deliver(self.last)

    @rule()
    def swap(self) -> None:
        first, second = self.venue.change(), self.venue.change()
        self._deliver(second)
        self._deliver(first)

    @rule()
    def remember_the_book(self) -> None:
        self.old = self.venue.snapshot(self.limit)

    @rule()
    def answer_late(self) -> None:
        self._settle(self.book.snapshot(*self.old))

    @rule()
    def answer_at_once(self) -> None:
        progress = self.book.snapshot(*self.venue.snapshot(self.limit))
        self._settle(progress)
        assert self.book.state is State.VALID
        self.wanted = progress.snapshot_wanted

    @rule()
    def forget_a_level(self) -> None:
        self._settle(self.book.invalidate(Cause.UNREADABLE))

    @invariant()
    def what_is_told_is_told_once_and_in_order(self) -> None:
        assert sorted(set(self.told)) == self.told

    @invariant()
    def a_book_that_is_not_valid_has_asked_for_a_snapshot(self) -> None:
        assert self.wanted or self.book.state in {State.VALID, State.INVALID}

    def teardown(self) -> None:
        if hasattr(self, "book"):
            self._settle(self.book.close())
            assert self.delivered == self.settled

    def _deliver(self, update: Update) -> None:
        self.last = update
        self.delivered += 1
        self._settle(self.book.update(update))

    def _settle(self, progress: Progress) -> None:
        self.wanted |= progress.snapshot_wanted
        self.settled += len(progress.applied) + progress.repeated + progress.rejected
        for update, top in progress.applied:
            whole = self.venue.tops[update.final]
            for side, of_venue in zip(top, whole, strict=True):
                assert side == of_venue[: len(side)]
            assert top == whole or self.wanted
            self.told.append(update.final)


TestNetwork = pytest.mark.slow(Network.TestCase)
TestNetwork.settings = settings(max_examples=300, stateful_step_count=40)
