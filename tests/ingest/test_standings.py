"""How books stand, across the connections of a feed."""

from ingest.books import Cause, State
from ingest.standings import Books, BookState, Standing


def books() -> Books:
    found = Books()
    found.learn(1)
    found.learn(2)
    return found


def test_a_book_that_was_valid_and_is_not_is_told_once() -> None:
    held = books()
    held.stands(1, State.VALID, 5)
    held.stands(1, State.SNAPSHOT, 6, Cause.CHECKSUM)
    assert ([1], []) == (list(held.take_broken()), list(held.take_broken()))
    assert held.standings[1] == Standing(State.SNAPSHOT, 6, 1, "checksum")


def test_a_book_that_was_not_valid_does_not_break() -> None:
    held = books()
    held.stands(1, State.SNAPSHOT, 5, Cause.CROSSED)
    assert ([], 0) == (list(held.take_broken()), held.standings[1].resyncs)


def test_a_state_has_a_time_since_it_began() -> None:
    held = books()
    held.stands(1, State.VALID, 5)
    held.stands(1, State.VALID, 9)
    assert held.standings[1].since == 5


def test_the_end_of_a_connection_is_no_resync() -> None:
    held = books()
    held.stands(1, State.VALID, 5)
    held.close()
    assert [1] == list(held.take_broken())
    assert held.standings[1] == Standing(State.INVALID, 5, 0, "closed")
    held.stands(1, State.VALID, 8)
    named = BookState.of("kraken", "SOL/USD", held.standings[1])
    assert named == BookState("kraken", "SOL/USD", State.VALID, 8, 0, "closed")


def test_what_comes_of_a_forgotten_book_is_not_written() -> None:
    held = books()
    held.forget(1)
    held.stands(1, State.VALID, 5)
    assert [2] == list(held.standings)
