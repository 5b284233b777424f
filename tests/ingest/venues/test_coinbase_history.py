"""Answers as the venue's documentation shows them.

https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades
"""

import json

import pytest

from ingest.venues.coinbase_history import CoinbaseHistory
from ingest.venues.history import Page, Stretch
from market.errors import DecodeError
from market.times import from_iso
from market.trades import Side, Trade

BTC = 7
NOW = 1_800_000_000_000_000
FROM, TO = from_iso("2014-11-07T22:19:28Z"), from_iso("2014-11-07T22:20:00Z")
ROW = {
    "trade_id": 74,
    "side": "sell",
    "size": "0.01000000",
    "price": "10.00000000",
    "time": "2014-11-07T22:19:28.578544Z",
}


def stretch(after_id: int | None = 70, before_id: int | None = 75) -> Stretch:
    return Stretch(
        instrument_id=BTC,
        venue_symbol="BTC-USD",
        from_ts=FROM,
        to_ts=TO,
        after_id=after_id,
        before_id=before_id,
    )


def page(*ids: int, position: str = "", of: Stretch | None = None, **changes: object) -> Page:
    body = json.dumps([{**ROW, "trade_id": number, **changes} for number in ids]).encode()
    return CoinbaseHistory().page(of or stretch(), position, body, NOW)


def ids(found: Page) -> list[int]:
    return [trade.trade_id for trade in found.trades]


def test_a_maker_that_sold_is_a_taker_that_bought() -> None:
    expected = Trade(BTC, from_iso("2014-11-07T22:19:28.578544Z"), 74, 10.0, 0.01, Side.BUY, NOW)
    assert [expected] == list(page(74).trades)
    assert [Side.SELL] == [trade.side for trade in page(74, side="buy").trades]


def test_pages_are_walked_down() -> None:
    history = CoinbaseHistory()
    assert history.request(stretch(), "").path == "/products/BTC-USD/trades?limit=1000&after=75"
    found = page(74, 73)
    assert ([74, 73], "73", False) == (ids(found), found.position, found.complete)
    assert history.request(stretch(), "73").path == "/products/BTC-USD/trades?limit=1000&after=73"
    last = page(72, 71, 70, 69, position="73")
    assert ([72, 71], True) == (ids(last), last.complete)


def test_without_a_trade_after_it_the_newest_page_comes_first() -> None:
    open_ended = stretch(before_id=None)
    assert CoinbaseHistory().request(open_ended, "").path == "/products/BTC-USD/trades?limit=1000"
    later = page(99, 98, of=open_ended, time="2014-11-07T22:20:00Z")
    assert ([], "98", False) == (ids(later), later.position, later.complete)


def test_without_a_trade_before_it_time_is_the_end() -> None:
    found = page(74, of=stretch(after_id=None), time="2014-11-07T22:19:27.999999Z")
    assert ([], True) == (ids(found), found.complete)


def test_an_empty_page_is_the_end() -> None:
    assert page(position="73").complete


@pytest.mark.parametrize("body", [b"", b'{"message":"NotFound"}'])
def test_what_is_no_page_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError, match="BTC-USD"):
        CoinbaseHistory().page(stretch(), "", body, NOW)
