from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.venues.checking import (
    Inexact,
    UpdateIds,
    VenueClock,
    double,
    id_of,
    nearest_double,
    positive,
)
from ingest.venues.venue import Reason
from market.errors import RefusedTickError
from market.times import SECOND, from_iso

MOMENT = 1_700_000_000 * SECOND


@given(st.decimals(min_value=0, max_value=10**12, allow_nan=False, places=8))
def test_a_double_gives_back_its_decimal_or_is_refused(decimal: Decimal) -> None:
    text = f"{decimal:f}"
    value = nearest_double(text)
    assert (type(value) is not Inexact) == (Decimal(repr(value)) == decimal)


@pytest.mark.parametrize("text", ["61837.63000000", "0.00000001", "100000000000000.5", "1"])
def test_ordinary_prices_are_exact(text: str) -> None:
    assert Decimal(text) == Decimal(repr(double(text)))


@pytest.mark.parametrize("text", ["9007199254740993", "0.12345678901234567891", "1e999"])
def test_what_a_double_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(RefusedTickError, match=Reason.NOT_A_DOUBLE):
        double(text)


@pytest.mark.parametrize("text", ["", "1,5", "much", "nan", "1_0", " 1", "0x10", "\u0661"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(RefusedTickError, match=Reason.NOT_A_NUMBER):
        double(text)


@pytest.mark.parametrize("text", ["0", "0.00000000", "-5", "-0"])
def test_a_trade_is_of_something_at_a_price(text: str) -> None:
    with pytest.raises(RefusedTickError, match=Reason.NOT_POSITIVE):
        positive(text)


def test_a_time_outside_all_trading_is_refused_and_not_remembered() -> None:
    clock = VenueClock([1])
    for ts in (0, MOMENT // 1000, MOMENT + 2 * 86_400 * SECOND):
        with pytest.raises(RefusedTickError, match=Reason.IMPLAUSIBLE_TIME):
            clock.saw(ts, MOMENT)
    with pytest.raises(RefusedTickError, match=Reason.NO_TIME):
        clock.inherited()


def test_the_newest_time_is_inherited_not_the_last() -> None:
    clock = VenueClock([1])
    clock.saw(MOMENT, MOMENT)
    clock.saw(MOMENT - 5, MOMENT)
    assert clock.inherited() == MOMENT


def test_one_time_far_ahead_of_our_clock_is_neither_inherited_nor_tells_others_that_time_passed() -> None:
    clock = VenueClock([1, 2])
    clock.saw(MOMENT, MOMENT)
    assert [] == clock.watermarks(MOMENT)
    wrong = MOMENT + 20 * 3600 * SECOND
    assert wrong == clock.saw(wrong, MOMENT)
    assert ([], MOMENT) == (clock.watermarks(MOMENT), clock.inherited())
    clock.saw(MOMENT + SECOND, MOMENT + SECOND)
    assert {MOMENT} == {mark.ts for mark in clock.watermarks(MOMENT + SECOND)}


def test_a_time_that_goes_faster_than_our_clock_or_is_always_ahead_of_it_is_followed() -> None:
    clock = VenueClock([1])
    for seconds in range(3600, 3720, 20):
        clock.saw(MOMENT + seconds * SECOND, MOMENT + seconds * SECOND // 20)
        assert clock.inherited() == MOMENT + seconds * SECOND


def test_a_venue_is_followed_though_our_clock_is_set_back() -> None:
    clock = VenueClock([1])
    for seconds in range(3):
        clock.saw(MOMENT + seconds * SECOND, MOMENT + seconds * SECOND)
    for seconds in range(3, 6):
        clock.saw(MOMENT + seconds * SECOND, MOMENT + (seconds - 3600) * SECOND)
        assert clock.inherited() == MOMENT + seconds * SECOND


def test_a_time_in_text_is_remembered_and_inherited_where_none_is_told() -> None:
    clock = VenueClock([1])
    told = clock.saw_text("2023-11-14T22:13:20.5Z", MOMENT)
    assert from_iso("2023-11-14T22:13:20.5Z") == told
    assert clock.saw_text(None, MOMENT) == told


def test_a_text_that_is_no_time_is_refused() -> None:
    with pytest.raises(RefusedTickError, match=Reason.IMPLAUSIBLE_TIME):
        VenueClock([1]).saw_text("yesterday", MOMENT)


def test_an_instrument_that_was_not_asked_for_is_refused() -> None:
    assert id_of({"BTC-USD": 1}, "BTC-USD") == 1
    with pytest.raises(RefusedTickError, match=Reason.UNKNOWN_INSTRUMENT):
        id_of({"BTC-USD": 1}, "ETH-USD")


def test_an_instrument_that_trades_needs_no_watermark() -> None:
    clock = VenueClock([1, 2])
    clock.saw(MOMENT, MOMENT)
    assert [] == clock.watermarks(MOMENT)
    clock.traded(1, clock.saw(MOMENT + 2 * SECOND, MOMENT))
    (mark,) = clock.watermarks(MOMENT)
    assert (2, MOMENT + SECOND) == (mark.instrument_id, mark.ts)


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=2)), max_size=30))
def test_ids_are_distinct_at_one_time_and_the_same_when_sent_again(updates: list[tuple[int, bytes]]) -> None:
    in_order = sorted(updates, key=lambda update: update[0])
    first, again = UpdateIds(), UpdateIds()
    ids = [(ts, first.next(ts, content)) for ts, content in in_order]
    assert ids == [(ts, again.next(ts, content)) for ts, content in in_order]
    assert sorted(set(ids)) == ids
    assert all(0 <= update_id < 2**63 for _, update_id in ids)
