"""Answers as the venue's documentation shows them.

https://docs.kraken.com/api/docs/rest-api/get-recent-trades
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.venues.history import Answer, Page, Stretch
from ingest.venues.kraken_history import KrakenHistory
from ingest.venues.venue import Reason
from market.errors import (
    DecodeError,
    FeedError,
    RateLimitedError,
    VenueRefusedError,
    VenueUnavailableError,
)
from market.times import from_seconds_text
from market.trades import Side, Trade

XBT = 7
NOW = 1_800_000_000_000_000
FROM, TO = 1_688_669_597_000_000, 1_688_669_700_000_000
ROWS = (
    '["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952]',
    '["30243.30000","0.00376960",1688669598.2804112,"s","l","",61044953]',
    '["30243.30000","0.01235716",1688669602.698379,"s","m","",61044956]',
)
LAST = 1688669602698379123


def stretch(after_id: int | None = 61044951, before_id: int | None = 61044960) -> Stretch:
    return Stretch(
        instrument_id=XBT,
        venue_symbol="BTC/USD",
        from_ts=FROM,
        to_ts=TO,
        after_id=after_id,
        before_id=before_id,
    )


def answer(*rows: str, last: int = LAST) -> bytes:
    return f'{{"error":[],"result":{{"XXBTZUSD":[{",".join(rows)}],"last":"{last}"}}}}'.encode()


def page(body: bytes, position: str = "", of: Stretch | None = None) -> Page:
    return KrakenHistory().page(of or stretch(), position, body, NOW)


def ids(found: Page) -> list[int]:
    return [trade.trade_id for trade in found.trades]


def test_a_row_is_the_trade_that_the_socket_tells() -> None:
    expected = [
        Trade(XBT, 1_688_669_597_827_736, 61044952, 30243.4, 0.34507674, Side.BUY, NOW),
        Trade(XBT, 1_688_669_598_280_411, 61044953, 30243.3, 0.0037696, Side.SELL, NOW),
        Trade(XBT, 1_688_669_602_698_379, 61044956, 30243.3, 0.01235716, Side.SELL, NOW),
    ]
    assert expected == list(page(answer(*ROWS)).trades)


@given(st.integers(1_300_000_000_000_000_000, 1_900_000_000_000_000_000))
def test_a_time_that_went_through_a_double_is_off_by_no_more_than_the_tolerance(nanoseconds: int) -> None:
    seconds = Decimal(nanoseconds) / 10**9
    told = from_seconds_text(repr(float(seconds)))
    assert abs(told - nanoseconds // 1000) <= KrakenHistory.tolerance


def test_pages_are_walked_up_from_before_the_stretch() -> None:
    path = KrakenHistory().request(stretch(), "").path
    assert path == "/0/public/Trades?pair=XBTUSD&since=1688669596999998999&count=1000"
    found = page(answer(*ROWS))
    assert (str(LAST), False) == (found.position, found.complete)
    assert KrakenHistory().request(stretch(), found.position).path.endswith(f"&since={LAST}&count=1000")


def test_what_a_full_page_may_have_cut_apart_is_asked_for_again() -> None:
    full = answer(*[ROWS[2]] * 1000)
    assert str(LAST - 1) == page(full).position
    assert str(LAST) == page(full, str(LAST - 1)).position


def test_the_end_is_where_nothing_follows() -> None:
    found = page(answer(last=LAST), str(LAST))
    assert ([], True) == (ids(found), found.complete)


def test_a_page_that_reaches_the_other_end_is_the_last() -> None:
    found = page(answer(*ROWS), of=stretch(before_id=61044956))
    assert ([61044952, 61044953], True) == (ids(found), found.complete)


def test_without_a_trade_after_it_time_is_the_end() -> None:
    short = Stretch(
        instrument_id=XBT,
        venue_symbol="BTC/USD",
        from_ts=FROM,
        to_ts=1_688_669_598_000_000,
        after_id=61044951,
    )
    found = page(answer(*ROWS), of=short)
    assert ([61044952], True) == (ids(found), found.complete)


def test_a_row_that_cannot_be_stored_is_rejected_and_the_others_are_not() -> None:
    found = page(answer(ROWS[0], ROWS[1].replace("30243.30000", "much"), '["1"]'))
    assert [61044952] == ids(found)
    assert [Reason.NOT_A_NUMBER, Reason.UNDECODABLE] == [each.reason for each in found.rejections]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        ("EAPI:Rate limit exceeded", RateLimitedError),
        ("EGeneral:Too many requests", RateLimitedError),
        ("EService:Throttled: 1688669597", RateLimitedError),
        ("EService:Unavailable", VenueUnavailableError),
        ("EService:Busy", VenueUnavailableError),
        ("EGeneral:Internal error", VenueUnavailableError),
        ("EQuery:Unknown asset pair", VenueRefusedError),
    ],
)
def test_errors_come_with_status_200(error: str, raised: type[FeedError]) -> None:
    with pytest.raises(raised, match=error):
        KrakenHistory().judge(Answer(200, f'{{"error":["{error}"]}}'.encode()))


def test_a_page_is_judged_well() -> None:
    KrakenHistory().judge(Answer(200, answer(*ROWS)))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"error":[],"result":{"last":"1"}}'])
def test_what_is_no_page_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError, match="BTC/USD"):
        page(body)
