"""A plan asks for all that is missing, for nothing else, and in pieces that are none too large."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.history.planning import LONGEST_PIECE, ROWS_A_PIECE, Piece, estimate, missing, pieces
from ingest.venues.reach import reach
from market.coverage import Coverage, Interval, united
from market.instruments import Market
from market.times import DAY, HOUR, SECOND

times = st.integers(0, 1000)
intervals = st.tuples(times, st.integers(1, 300)).map(lambda each: Interval(each[0], each[0] + each[1]))


@pytest.mark.slow
@given(intervals, st.lists(intervals, max_size=8), st.lists(intervals, max_size=4))
def test_what_is_missing_and_what_is_proven_make_up_what_was_asked_for(
    asked: Interval, proven: list[Interval], unproven: list[Interval]
) -> None:
    coverage = Coverage(proven, unproven)
    lacking, known = missing(asked, coverage), coverage.intervals(*asked)
    assert [asked] == united([*lacking, *known])
    assert sum(each.to_ts - each.from_ts for each in [*lacking, *known]) == asked.to_ts - asked.from_ts


@given(st.integers(0, DAY), st.integers(1, 5 * DAY), st.integers(0, 50_000_000))
def test_pieces_make_up_the_interval_and_have_all_its_rows(from_ts: int, length: int, rows: int) -> None:
    made = pieces(Interval(from_ts, from_ts + length), rows)
    assert made[0].from_ts == from_ts
    assert made[-1].to_ts == from_ts + length
    assert all(one.to_ts == other.from_ts for one, other in pairwise(made))
    assert sum(piece.rows for piece in made) == rows
    assert all(piece.from_ts < piece.to_ts for piece in made)
    assert all(piece.from_ts % SECOND == 0 for piece in made[1:])
    assert all(piece.to_ts - piece.from_ts <= LONGEST_PIECE + SECOND for piece in made)


@pytest.mark.slow
@given(st.integers(0, DAY), st.integers(HOUR, 5 * DAY), st.integers(0, 2_000_000))
def test_no_piece_has_many_more_rows_than_it_may(from_ts: int, length: int, rows: int) -> None:
    made = pieces(Interval(from_ts, from_ts + length), rows)
    a_second = rows * SECOND // length + 2
    assert all(piece.rows <= ROWS_A_PIECE + a_second for piece in made)


def test_an_estimate_counts_pages_and_the_venues_limit() -> None:
    made = estimate([Piece(0, 1, 2500), Piece(1, 2, 0)], 1000, 25, reach("binance", Market.SPOT))
    assert (2500, 5, 5 * 25 / 80) == (made.rows, made.requests, made.seconds)
    assert made.bytes == 2500 * 114
