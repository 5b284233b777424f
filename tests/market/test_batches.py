"""What a batch lists survives its bytes."""

from hypothesis import given
from hypothesis import strategies as st

from market import batches
from market.batches import Span
from market.ticks import Kind, TapeKey

IDS = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(0, 2**60)
SPANS = st.builds(Span, st.sampled_from(Kind).map(int), TIMES, IDS, TIMES, IDS, st.integers(1, 10**6))


@given(st.dictionaries(st.integers(1, 2**31 - 1), st.lists(SPANS, min_size=1, max_size=4), max_size=5))
def test_a_listing_is_read_as_it_was_written(listing: dict[int, list[Span]]) -> None:
    assert listing == batches.decode(batches.encode(listing))


def test_a_span_knows_its_first_and_last_place() -> None:
    span = Span(Kind.QUOTE, 10, 1, 20, 2, 5)
    assert (TapeKey(10, Kind.QUOTE, 1), TapeKey(20, Kind.QUOTE, 2)) == (span.first, span.last)
