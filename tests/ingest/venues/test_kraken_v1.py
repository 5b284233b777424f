"""Frames as the venue's documentation shows them.

https://docs.kraken.com/api/docs/websocket-v1/trade, /ticker, /spread, /book
https://docs.kraken.com/api/docs/guides/spot-ws-book-v1
"""

import json

import pytest

from ingest.venues.kraken_v1 import KrakenV1, KrakenV1Decoder
from ingest.venues.venue import DEPTHS, QUOTES, TRADES, Decoded, Reason, Refusal
from market.errors import DecodeError
from market.instruments import stable_hash
from market.times import SECOND
from market.trades import Side

BTC = 9
NOW = 1_618_678_143 * SECOND

TRADES_OF_DOCS = [
    0,
    [
        ["5541.20000", "0.15850568", "1534614057.321597", "s", "l", ""],
        ["6060.00000", "0.02455000", "1534614057.324998", "b", "l", ""],
    ],
    "trade",
    "XBT/USD",
]
TICKER = [
    0,
    {
        "a": ["5525.40000", 1, "1.000"],
        "b": ["5525.10000", 1, "1.000"],
        "c": ["5525.10000", "0.00398963"],
        "h": ["5783.00000", "5783.00000"],
        "l": ["5505.00000", "5505.00000"],
        "o": ["5760.70000", "5763.40000"],
        "p": ["5631.44067", "5653.78939"],
        "t": [11493, 16267],
        "v": ["2634.11501494", "3591.17907851"],
    },
    "ticker",
    "XBT/USD",
]
SPREAD = [
    0,
    ["5698.40000", "5700.00000", "1542057299.545897", "1.01234567", "0.98765432"],
    "spread",
    "XBT/USD",
]

BOOK_ASKS = [[f"0.0{5005 + 5 * place}", "0.00000500", "1582905486.493008"] for place in range(10)]
BOOK_BIDS = [
    [f"0.0{price}", "0.00000500", "1582905486.493034"]
    for price in (5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950)
]
BOOK_SNAPSHOT = [0, {"as": BOOK_ASKS, "bs": BOOK_BIDS}, "book-1000", "XBT/USD"]
CHECKSUM = "974947235"
"""The documentation's own, of the book above."""


@pytest.fixture
def decoder() -> KrakenV1Decoder:
    return KrakenV1().decoder({"XBT/USD": BTC})


def decode(decoder: KrakenV1Decoder, frame: object) -> Decoded:
    return decoder.decode(json.dumps(frame).encode(), NOW)


def reasons(decoded: Decoded) -> list[tuple[str, str, bool]]:
    return [(each.kind, each.reason, bool(each.payload)) for each in decoded.rejections]


def update(*parts: dict[str, object]) -> list[object]:
    return [0, *parts, "book-1000", "XBT/USD"]


def test_a_trades_id_is_a_hash_of_its_content(decoder: KrakenV1Decoder) -> None:
    sold, bought = decode(decoder, TRADES_OF_DOCS).trades
    assert (5541.2, 0.15850568, Side.SELL, 1_534_614_057_321_597) == (
        sold.price,
        sold.size,
        sold.side,
        sold.ts,
    )
    assert (BTC, Side.BUY) == (bought.instrument_id, bought.side)
    content = "XBT/USD|5541.20000|0.15850568|1534614057.321597|s|l|"
    assert stable_hash(content) == sold.trade_id


def test_equal_fills_in_one_message_are_kept_apart_and_come_out_the_same_again(
    decoder: KrakenV1Decoder,
) -> None:
    fill = ["5541.20000", "0.15850568", "1534614057.321597", "s", "l", ""]
    frame = [0, [fill, fill, fill], "trade", "XBT/USD"]
    first, second = ([trade.trade_id for trade in decode(decoder, frame).trades] for _ in range(2))
    assert first == second
    assert len(set(first)) == 3


def test_time_is_truncated_and_never_goes_through_a_float(decoder: KrakenV1Decoder) -> None:
    fill = ["1.0", "1.0", "1534614057.3215979999", "s", "l", ""]
    (trade,) = decode(decoder, [0, [fill], "trade", "XBT/USD"]).trades
    assert trade.ts == 1_534_614_057_321_597


def test_of_several_fills_only_the_bad_ones_are_rejected(decoder: KrakenV1Decoder) -> None:
    good = ["1.0", "1.0", "1534614057.321597", "s", "l", ""]
    bad = [
        ["1.0", "0.12345678901234567891", "1534614057.3", "s", "l", ""],
        ["1.0"],
        ["1.0", "1.0", "now", "s", "l", ""],
    ]
    decoded = decode(decoder, [0, [good, *bad], "trade", "XBT/USD"])
    assert len(decoded.trades) == 1
    assert [
        (TRADES, Reason.NOT_A_DOUBLE, True),
        (TRADES, Reason.UNDECODABLE, True),
        (TRADES, Reason.IMPLAUSIBLE_TIME, True),
    ] == reasons(decoded)


def test_a_ticker_inherits_the_newest_time_of_the_connection(decoder: KrakenV1Decoder) -> None:
    assert [(QUOTES, Reason.NO_TIME, False)] == reasons(decode(decoder, TICKER))
    decode(decoder, TRADES_OF_DOCS)
    (quote,) = decode(decoder, TICKER).quotes
    assert (5525.1, 1.0, 5525.4, 1.0, 1_534_614_057_324_998) == (
        quote.bid_price,
        quote.bid_size,
        quote.ask_price,
        quote.ask_size,
        quote.ts,
    )


def test_a_spread_has_a_time_of_its_own(decoder: KrakenV1Decoder) -> None:
    (quote,) = decode(decoder, SPREAD).quotes
    assert (5698.4, 1.01234567, 5700.0, 0.98765432, 1_542_057_299_545_897) == (
        quote.bid_price,
        quote.bid_size,
        quote.ask_price,
        quote.ask_size,
        quote.ts,
    )


def test_a_book_is_checked_by_the_checksum_of_each_update(decoder: KrakenV1Decoder) -> None:
    (depth,) = decode(decoder, BOOK_SNAPSHOT).depths
    assert (0.05, 0.05005, 1_582_905_486_493_034) == (depth.bid_prices[0], depth.ask_prices[0], depth.ts)
    level = ["0.05005", "0.00000500", "1582905487.000000"]
    (depth,) = decode(decoder, update({"a": [level], "c": CHECKSUM})).depths
    assert depth.ts == 1_582_905_487_000_000
    wrong = decode(decoder, update({"a": [level]}, {"b": [level], "c": CHECKSUM}))
    assert [(DEPTHS, Reason.BOOK_INVALID, False)] == reasons(wrong)
    assert ["XBT/USD"] == list(wrong.snapshots_wanted)
    assert [(DEPTHS, Reason.BOOK_INVALID, False)] == reasons(
        decode(decoder, update({"a": [level], "c": CHECKSUM}))
    )


def test_a_level_that_is_sent_again_does_not_take_the_book_back_in_time(decoder: KrakenV1Decoder) -> None:
    decode(decoder, BOOK_SNAPSHOT)
    republished = ["0.05005", "0.00000500", "1582905000.000000", "r"]
    (depth,) = decode(decoder, update({"a": [republished], "c": CHECKSUM})).depths
    assert depth.ts == 1_582_905_486_493_034


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"[1,2]",
        b"\xff",
        b'[0,[],"ohlc-5","XBT/USD"]',
        b'[0,"trade","XBT/USD"]',
        b"7",
    ],
)
def test_a_frame_of_another_protocol_is_a_decode_error(decoder: KrakenV1Decoder, raw: bytes) -> None:
    with pytest.raises(DecodeError, match="kraken sent a"):
        decoder.decode(raw, NOW)


def test_a_level_without_a_time_is_undecodable(decoder: KrakenV1Decoder) -> None:
    decode(decoder, BOOK_SNAPSHOT)
    (rejection,) = decode(decoder, update({"a": [["0.05005", "0.00000500"]], "c": CHECKSUM})).rejections
    assert (DEPTHS, Reason.UNDECODABLE) == (rejection.kind, rejection.reason)


def test_events_acknowledge_refuse_or_say_that_the_venue_lives(decoder: KrakenV1Decoder) -> None:
    status = {"event": "subscriptionStatus", "pair": "XBT/USD"}
    subscribed = {
        **status,
        "status": "subscribed",
        "channelName": "book-10",
        "subscription": {"name": "book"},
    }
    assert ["book:XBT/USD"] == list(decode(decoder, subscribed).acknowledged)
    refused = {
        **status,
        "status": "error",
        "errorMessage": "Currency pair not supported",
        "subscription": {"name": "trade"},
    }
    expected = Refusal("trade:XBT/USD", "Currency pair not supported (XBT/USD)")
    assert [expected] == list(decode(decoder, refused).refused)
    for event in ("heartbeat", "systemStatus", "pong"):
        assert decode(decoder, {"event": event}).ticks == 0


def test_two_assets_have_names_of_their_own() -> None:
    venue = KrakenV1()
    symbols = [venue.instrument(symbol).venue_symbol for symbol in ("BTC/USD", "DOGE/BTC", "SOL/USD")]
    assert ["XBT/USD", "XDG/XBT", "SOL/USD"] == symbols
    assert venue.instrument("BTC/USD").symbol == "BTC/USD"
