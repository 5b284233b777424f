import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import UnknownVenueError
from sim.protocols import NAMES, named

words = st.sampled_from(["trade", "book-10", "XBT/USD", "bnbbtc@trade", "match", "symbol"]) | st.text()
keys = st.sampled_from(["stream", "type", "channel", "data", "symbol", "event", "method", "params"]) | words
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
)


@pytest.mark.slow
@given(st.sampled_from(NAMES), json_values)
def test_any_recorded_json_belongs_to_a_topic_or_to_none(name: str, message: object) -> None:
    venue = named(name)
    topic = venue.topic(message)
    if topic is not None:
        assert venue.market(message)
        assert list(venue.fills(message)) is not None


@pytest.mark.slow
@given(st.sampled_from(NAMES), json_values.map(json.dumps) | st.text())
def test_any_request_is_answered(name: str, text: str) -> None:
    assert named(name).answer(text, {}, frozenset(), 0).topics == {}


def test_an_unknown_venue_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownVenueError, match=r"'mtgox'.*binance, coinbase, kraken"):
        named("mtgox")
