"""What a run is said to have done."""

from hypothesis import given
from hypothesis import strategies as st

from heliograph.reports import Latency, Ticks, latency, tally
from heliograph.subscriber import Receipts, Received, Result
from market.channels import Family

TRADES = {"trades": {"stored": 7, "duplicates": 2, "conflated": 0, "rejected": {"no_time": 1}}}


def test_what_venues_offer_meets_what_ingesters_settled() -> None:
    ticks = tally({"trades": 12, "quotes": 3, "frames": 0}, [{"binance": TRADES}])
    assert ticks.by_kind["trades"] == Ticks(offered=12, stored=7, duplicates=2, rejected=1)
    assert (ticks.offered, ticks.settled, ticks.reasons) == (15, 10, {"no_time": 1})


def test_ingesters_that_followed_each_other_are_added_up() -> None:
    ticks = tally({"trades": 20}, [{"binance": TRADES}, {"binance": TRADES}])
    assert (ticks.stored, ticks.duplicates, ticks.rejected) == (14, 4, 2)


def test_updates_of_books_that_are_not_written_are_no_loss() -> None:
    depths = {"depths": {"stored": 3, "duplicates": 0, "conflated": 6, "rejected": {"book_invalid": 1}}}
    ticks = tally({"depths": 10}, [{"coinbase": depths}])
    assert (10, 10, 6) == (ticks.offered, ticks.settled, ticks.conflated)


def test_unreadable_frames_are_counted_where_there_are_any() -> None:
    frames = {"frames": {"stored": 0, "duplicates": 0, "conflated": 0, "rejected": {"undecodable": 1}}}
    ticks = tally({"trades": 0, "frames": 1}, [{"binance": frames}])
    assert ticks.by_kind["frames"] == Ticks(offered=1, rejected=1)


def test_percentiles_are_by_nearest_rank() -> None:
    assert latency([]) == Latency(None, None, None, None)
    assert latency([1000 * n for n in range(1, 101)]) == Latency(50.0, 90.0, 99.0, 100.0)


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_percentiles_are_ordered_measurements(values: list[int]) -> None:
    told = latency(values)
    assert told.p50 is not None
    assert told.p90 is not None
    assert told.p99 is not None
    assert told.p50 <= told.p90 <= told.p99 <= max(values) / 1000 == told.max


LIVE = {"claimed_to_computed": 0.1}


def signal(offset: int, latency_ms: dict[str, float] | None = LIVE) -> Received:
    data = {"received_at": "1970-01-01T00:00:01.000000Z", "latency_ms": latency_ms}
    return Received("signal", "signals:kraken:SOL/USD", offset, data)


def test_a_signal_counts_once_and_its_way_is_timed() -> None:
    receipts = Receipts()
    for offset in (1, 2, 2, 1):
        receipts.take(signal(offset), 1_000_250)
    assert receipts.delivered == {Family.SIGNALS: 2, Family.BARS: 0}
    assert list(receipts.latencies_us) == [250, 250]


def test_what_a_repair_tells_counts_and_its_way_is_not_timed() -> None:
    receipts = Receipts()
    receipts.take(signal(1, None), 1_000_250)
    assert receipts.delivered == {Family.SIGNALS: 1, Family.BARS: 0}
    assert list(receipts.latencies_us) == []


def test_what_was_in_the_log_before_is_not_counted() -> None:
    receipts = Receipts()
    receipts.begin(Result({"signals:kraken:SOL/USD": 41}))
    receipts.take(signal(41), 0)
    receipts.take(signal(42), 0)
    assert receipts.delivered[Family.SIGNALS] == 1
    assert receipts.after("signals:*:*") == {"signals:kraken:SOL/USD": 42}
    assert receipts.after("bars:*:*") == {}
