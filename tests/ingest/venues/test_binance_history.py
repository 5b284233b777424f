"""Answers as the venue's documentation shows them.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints#old-trade-lookup
"""

import json

import pytest

from ingest.venues.binance_history import BinanceHistory
from ingest.venues.history import Page, Stretch
from ingest.venues.venue import Reason
from market.errors import DecodeError
from market.instruments import Market
from market.trades import Side, Trade

BNB = 7
NOW = 1_800_000_000_000_000
FROM, TO = 1_499_865_549_000_000, 1_499_865_600_000_000
ROW = {
    "id": 28457,
    "price": "4.00000100",
    "qty": "12.00000000",
    "quoteQty": "48.000012",
    "time": 1499865549590,
    "isBuyerMaker": True,
    "isBestMatch": True,
}


def stretch(after_id: int | None = 28456, before_id: int | None = 28460) -> Stretch:
    return Stretch(
        instrument_id=BNB,
        venue_symbol="BNBBTC",
        from_ts=FROM,
        to_ts=TO,
        after_id=after_id,
        before_id=before_id,
    )


def rows(*ids: int, **changes: object) -> bytes:
    return json.dumps([{**ROW, "id": number, **changes} for number in ids]).encode()


def page(body: bytes, position: str = "", of: Stretch | None = None) -> Page:
    return BinanceHistory(Market.SPOT).page(of or stretch(), position, body, NOW)


def ids(found: Page) -> list[int]:
    return [trade.trade_id for trade in found.trades]


def test_a_row_is_the_trade_that_the_socket_tells() -> None:
    expected = Trade(BNB, 1_499_865_549_590_000, 28457, 4.000001, 12.0, Side.SELL, NOW)
    assert [expected] == list(page(rows(28457)).trades)
    (bought,) = page(rows(28457, isBuyerMaker=False)).trades
    assert bought.side == Side.BUY


@pytest.mark.parametrize(
    ("market", "path", "weight"),
    [
        (Market.SPOT, "/api/v3/historicalTrades?symbol=BNBBTC&limit=1000&fromId=28457", 25),
        (Market.SWAP, "/fapi/v1/historicalTrades?symbol=BNBBTC&limit=500&fromId=28457", 20),
    ],
)
def test_it_goes_on_from_the_last_id_known(market: Market, path: str, weight: int) -> None:
    request = BinanceHistory(market, "key").request(stretch(), "")
    assert (path, weight, {"X-MBX-APIKEY": "key"}) == (request.path, request.weight, request.headers)
    assert {} == BinanceHistory(market).request(stretch(), "").headers


def test_a_page_that_reaches_the_other_end_is_the_last() -> None:
    found = page(rows(28457, 28458, 28459, 28460, 28461))
    assert ([28457, 28458, 28459], True) == (ids(found), found.complete)


def test_a_short_page_is_not_taken_for_the_end() -> None:
    found = page(rows(28457))
    assert ([28457], "28458", False) == (ids(found), found.position, found.complete)
    assert page(b"[]", found.position).complete


def test_without_a_trade_after_it_time_is_the_end() -> None:
    open_ended = stretch(before_id=None)
    assert not page(rows(28457, 28458), of=open_ended).complete
    found = page(rows(28457, time=TO // 1000), of=open_ended)
    assert ([], True) == (ids(found), found.complete)


def test_without_a_trade_before_it_pages_are_walked_down_from_the_other_end() -> None:
    history, downwards = BinanceHistory(Market.SPOT), stretch(after_id=None)
    assert history.request(downwards, "").path.endswith("&fromId=27460")
    found = page(rows(28458, 28459, 28460), of=downwards)
    assert ([28458, 28459], False) == (ids(found), found.complete)
    assert history.request(downwards, found.position).path.endswith("&fromId=26460")
    earlier = page(rows(27459, time=FROM // 1000 - 1), found.position, downwards)
    assert ([], True) == (ids(earlier), earlier.complete)
    assert page(b"[]", found.position, downwards).complete


def test_the_rest_of_a_short_page_is_asked_for_before_what_is_older() -> None:
    history, downwards = BinanceHistory(Market.SPOT), stretch(after_id=None)
    short = page(rows(27460, time=FROM // 1000 - 1), of=downwards)
    assert ([], False) == (ids(short), short.complete)
    assert history.request(downwards, short.position).path.endswith("&fromId=27461")
    rest = page(rows(28458, 28459, 28460), short.position, downwards)
    assert ([28458, 28459], True) == (ids(rest), rest.complete)
    assert page(b"[]", short.position, downwards).complete


def test_without_any_id_pages_are_walked_down_from_the_newest() -> None:
    history, no_ids = BinanceHistory(Market.SPOT), stretch(None, None)
    assert history.request(no_ids, "").path == "/api/v3/historicalTrades?symbol=BNBBTC&limit=1000"
    found = page(rows(28458, 28459), of=no_ids)
    assert ([28458, 28459], False) == (ids(found), found.complete)
    assert history.request(no_ids, found.position).path.endswith("&fromId=27458")
    assert page(b"[]", of=no_ids).complete


def test_a_row_that_cannot_be_stored_is_rejected_and_the_others_are_not() -> None:
    body = json.dumps([ROW, {**ROW, "id": 28458, "price": "much"}, {"id": "x"}]).encode()
    found = page(body)
    assert [28457] == ids(found)
    assert [Reason.NOT_A_NUMBER, Reason.UNDECODABLE] == [each.reason for each in found.rejections]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"code":-1121}', b"<html>"])
def test_what_is_no_page_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError, match="BNBBTC"):
        page(body)
