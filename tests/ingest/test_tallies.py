from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from ingest.buffer import Arrival
from ingest.tallies import Tallies
from ingest.venues.venue import DEPTHS, FRAMES, QUOTES, TRADES, Decoded, Reason, Rejection
from market.trades import Side, Trade

TRADE = Trade(1, 1, 1, 1.0, 1.0, Side.BUY, 1)


def arrivals() -> st.SearchStrategy[Arrival]:
    rejections = st.builds(
        Rejection, st.sampled_from([TRADES, QUOTES, DEPTHS, FRAMES]), st.sampled_from(list(Reason))
    )
    repeated = st.dictionaries(st.sampled_from([QUOTES, DEPTHS]), st.integers(1, 5))
    trades = st.integers(0, 5).map(lambda count: [TRADE] * count)
    decoded = st.builds(
        Decoded,
        trades=trades,
        repeated=repeated,
        conflated=repeated,
        rejections=st.lists(rejections, max_size=4),
    )
    return st.builds(Arrival, st.sampled_from(["binance", "kraken"]), decoded)


@given(st.lists(arrivals()), st.data())
def test_offered_is_the_sum_of_what_became_of_it(found: list[Arrival], data: st.DataObject) -> None:
    tallies = Tallies(["binance", "kraken"])
    for arrival in found:
        tallies.conflate(arrival.exchange, arrival.decoded.conflated)
        tallies.offer(arrival)
    most = sum(len(arrival.decoded.trades) for arrival in found if arrival.exchange == "binance")
    stored = data.draw(st.integers(0, most))
    tallies.settle(found, {"binance": {TRADES: stored}})
    for kinds in tallies.counters().values():
        assert isinstance(kinds, Mapping)
        for tally in kinds.values():
            settled = tally["stored"] + tally["duplicates"] + tally["conflated"]
            assert tally["offered"] == settled + sum(tally["rejected"].values())
            assert tally["duplicates"] >= 0


def test_nothing_but_offered_is_counted_before_it_is_settled() -> None:
    tallies = Tallies(["binance"])
    tallies.offer(Arrival("binance", Decoded(trades=[TRADE], repeated={QUOTES: 2})))
    zero = {"stored": 0, "duplicates": 0, "conflated": 0, "rejected": {}}
    expected = {
        TRADES: {"offered": 1, **zero},
        QUOTES: {"offered": 2, **zero},
        DEPTHS: {"offered": 0, **zero},
    }
    assert {"binance": expected} == tallies.counters()
