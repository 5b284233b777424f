"""Frames as the venue's documentation shows them.

https://docs.kraken.com/api/docs/websocket-v2/book, /trade, /ticker
https://docs.kraken.com/api/docs/guides/spot-ws-book-v2
"""

import json
from zlib import crc32

import pytest

from ingest.venues.kraken import Kraken, KrakenDecoder
from ingest.venues.kraken_books import KrakenBook
from ingest.venues.venue import DEPTHS, NOTHING, QUOTES, TRADES, Decoded, Reason
from market.errors import DecodeError, InvalidInputError
from market.times import from_iso
from market.trades import Side, Trade

BTC = 5
MATIC = 6
NOW = from_iso("2023-10-06T17:35:57Z")

TRADE_TEXT = (
    b'{"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"sell","price":0.5117,'
    b'"qty":40.0,"ord_type":"market","trade_id":4665906,"timestamp":"2023-09-25T07:49:37.708706Z"}]}'
)
TICKER_TEXT = (
    b'{"channel":"ticker","type":"snapshot","data":[{"symbol":"MATIC/USD","bid":0.10025,"bid_qty":740.0,'
    b'"ask":0.10036,"ask_qty":1361.44813783,"last":0.10035,"volume":997038.98383185,"vwap":0.10148,'
    b'"low":0.09979,"high":0.10285,"change":-0.00017,"change_pct":-0.17}]}'
)
BIDS = (
    "45283.5 0.10000000, 45283.4 1.54582015, 45282.1 0.10000000, 45281.0 0.10000000, 45280.3 1.54592586,"
    "45279.0 0.07990000, 45277.6 0.03310103, 45277.5 0.30000000, 45277.3 1.54602737, 45276.6 0.15445238"
)
ASKS = (
    "45285.2 0.00100000, 45286.4 1.54571953, 45286.6 1.54571109, 45289.6 1.54560911, 45290.2 0.15890660,"
    "45291.8 1.54553491, 45294.7 0.04454749, 45296.1 0.35380000, 45297.5 0.09945542, 45299.5 0.18772827"
)
CHECKSUM = 3310070434
"""The documentation's own, of the book above."""


def levels(text: str) -> str:
    return ",".join(f'{{"price":{price},"qty":{size}}}' for price, size in pairs(text))


def pairs(text: str) -> list[tuple[str, str]]:
    return [(price, size) for price, size in map(str.split, filter(None, text.split(",")))]


def book(
    type_: str, bids: str, asks: str, checksum: int, timestamp: str | None = "2023-10-06T17:35:55.440295Z"
) -> bytes:
    time = f',"timestamp":"{timestamp}"' if timestamp else ""
    sides = f'"bids":[{levels(bids)}],"asks":[{levels(asks)}]'
    item = f'{{"symbol":"BTC/USD",{sides},"checksum":{checksum}{time}}}'
    return f'{{"channel":"book","type":"{type_}","data":[{item}]}}'.encode()


@pytest.fixture
def decoder() -> KrakenDecoder:
    return Kraken().decoder({"BTC/USD": BTC, "MATIC/USD": MATIC})


def reasons(decoded: Decoded) -> list[tuple[str, str, bool]]:
    return [(each.kind, each.reason, bool(each.payload)) for each in decoded.rejections]


def test_a_trade_has_the_takers_side_and_the_venues_id(decoder: KrakenDecoder) -> None:
    expected = Trade(MATIC, from_iso("2023-09-25T07:49:37.708706Z"), 4665906, 0.5117, 40.0, Side.SELL, NOW)
    assert [expected] == list(decoder.decode(TRADE_TEXT, NOW).trades)


def test_of_several_trades_in_a_frame_only_the_bad_one_is_rejected(decoder: KrakenDecoder) -> None:
    frame = json.loads(TRADE_TEXT)
    (good,) = frame["data"]
    frame["data"] = [good, {**good, "trade_id": None}, {**good, "trade_id": 4665907, "side": "other"}]
    decoded = decoder.decode(json.dumps(frame).encode(), NOW)
    assert [(4665906, Side.SELL), (4665907, Side.UNKNOWN)] == [(t.trade_id, t.side) for t in decoded.trades]
    assert [(TRADES, Reason.UNDECODABLE, True)] == reasons(decoded)


def test_a_ticker_without_time_inherits_the_newest(decoder: KrakenDecoder) -> None:
    assert [(QUOTES, Reason.NO_TIME, False)] == reasons(decoder.decode(TICKER_TEXT, NOW))
    decoder.decode(TRADE_TEXT, NOW)
    (quote,) = decoder.decode(TICKER_TEXT, NOW).quotes
    assert (MATIC, from_iso("2023-09-25T07:49:37.708706Z")) == (quote.instrument_id, quote.ts)
    assert (0.10025, 740.0, 0.10036, 1361.44813783) == (
        quote.bid_price,
        quote.bid_size,
        quote.ask_price,
        quote.ask_size,
    )


def test_a_ticker_with_a_time_has_its_own(decoder: KrakenDecoder) -> None:
    timed = TICKER_TEXT.replace(b'"bid":', b'"timestamp":"2022-12-25T09:30:59.123456Z","bid":')
    (quote,) = decoder.decode(timed, NOW).quotes
    assert quote.ts == from_iso("2022-12-25T09:30:59.123456Z")


def test_equal_tickers_at_one_time_are_kept_apart_and_get_the_same_ids_again() -> None:
    runs = []
    for _ in range(2):
        decoder = Kraken().decoder({"MATIC/USD": MATIC})
        decoder.decode(TRADE_TEXT, NOW)
        runs.append([decoder.decode(TICKER_TEXT, NOW).quotes[0].update_id for _ in range(3)])
    assert runs[0] == runs[1]
    assert sorted(set(runs[0])) == runs[0]


def test_a_book_whose_checksum_is_right_is_valid(decoder: KrakenDecoder) -> None:
    (depth,) = decoder.decode(book("snapshot", BIDS, ASKS, CHECKSUM), NOW).depths
    assert (45283.5, 0.1, 45285.2, 0.001) == (
        depth.bid_prices[0],
        depth.bid_sizes[0],
        depth.ask_prices[0],
        depth.ask_sizes[0],
    )
    again = decoder.decode(book("update", "45283.5 0.10000000", "", CHECKSUM), NOW)
    assert len(again.depths) == 1


def test_a_wrong_checksum_makes_the_book_invalid_until_a_fresh_snapshot(decoder: KrakenDecoder) -> None:
    decoder.decode(book("snapshot", BIDS, ASKS, CHECKSUM), NOW)
    for broken in ([BTC], []):
        wrong = decoder.decode(book("update", "45283.5 0.20000000", "", CHECKSUM), NOW)
        assert [(DEPTHS, Reason.BOOK_INVALID, False)] == reasons(wrong)
        assert (["BTC/USD"], broken) == (list(wrong.snapshots_wanted), list(wrong.broken))
    assert len(decoder.decode(book("snapshot", BIDS, ASKS, CHECKSUM), NOW).depths) == 1


def test_a_snapshot_with_a_wrong_checksum_begins_no_book(decoder: KrakenDecoder) -> None:
    wrong = decoder.decode(book("snapshot", BIDS, ASKS, 1), NOW)
    assert (["BTC/USD"], [], []) == (list(wrong.snapshots_wanted), list(wrong.depths), list(wrong.broken))
    assert not decoder.decode(book("update", "45283.5 0.10000000", "", CHECKSUM), NOW).depths


def test_zeros_that_the_sender_left_out_are_found_by_the_snapshots_checksum(decoder: KrakenDecoder) -> None:
    bids, asks = "45283.5 0.1", "45285.2 0.001"
    checksum = crc32(b"452852100000" + b"45283510000000")
    assert len(decoder.decode(book("snapshot", bids, asks, checksum), NOW).depths) == 1
    checksum = crc32(b"452852100000" + b"45283520000000")
    assert len(decoder.decode(book("update", "45283.5 0.2", "", checksum), NOW).depths) == 1


def test_a_crossed_book_is_invalid_even_when_its_checksum_is_right(decoder: KrakenDecoder) -> None:
    decoder.decode(book("snapshot", BIDS, ASKS, CHECKSUM), NOW)
    checksum = crc32(b"452852100000" + b"45285210000000")
    crossed = decoder.decode(book("snapshot", "45285.2 0.10000000", "45285.2 0.00100000", checksum), NOW)
    assert (["BTC/USD"], [BTC]) == (list(crossed.snapshots_wanted), list(crossed.broken))


def test_the_book_is_cut_to_the_depth_subscribed_to() -> None:
    book = KrakenBook(10, pairs(BIDS), pairs(ASKS))
    book.update([("45284.0", "1.0")], [])
    book.update([("45284.0", "0")], [])
    assert (9, 10) == (len(book.top.bid_prices), len(book.top.ask_prices))


def test_a_depth_without_any_time_is_rejected_and_its_book_goes_on(decoder: KrakenDecoder) -> None:
    snapshot = decoder.decode(book("snapshot", BIDS, ASKS, CHECKSUM, timestamp=None), NOW)
    assert [(DEPTHS, Reason.NO_TIME, False)] == reasons(snapshot)
    assert len(decoder.decode(book("update", "45283.5 0.10000000", "", CHECKSUM), NOW).depths) == 1


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"{}"])
def test_a_frame_of_another_protocol_is_a_decode_error(decoder: KrakenDecoder, raw: bytes) -> None:
    with pytest.raises(DecodeError, match="kraken sent a frame"):
        decoder.decode(raw, NOW)


def test_heartbeats_and_statuses_say_only_that_the_venue_lives(decoder: KrakenDecoder) -> None:
    status = b'{"channel":"status","type":"update","data":[{"version":"2.0.0","system":"online"}]}'
    for raw in (
        b'{"channel":"heartbeat"}',
        status,
        b'{"method":"pong","time_in":"2023-09-24T14:10:23.799685Z"}',
    ):
        assert decoder.decode(raw, NOW).ticks == 0


def test_subscriptions_are_answered_symbol_by_symbol(decoder: KrakenDecoder) -> None:
    acknowledged = (
        b'{"method":"subscribe","result":{"channel":"ticker","snapshot":true,"symbol":"ALGO/USD"},'
        b'"success":true,"time_in":"2023-09-25T09:04:31.742599Z","time_out":"2023-09-25T09:04:31.742648Z"}'
    )
    assert ["ticker:ALGO/USD"] == list(decoder.decode(acknowledged, NOW).acknowledged)
    refused = (
        b'{"error":"Currency pair not supported XYZ/USD","method":"subscribe","success":false,'
        b'"symbol":"XYZ/USD","time_in":"2023-09-25T09:04:31.742599Z","time_out":"2023-09-25T09:04:31.742648Z"}'
    )
    keys = {refusal.key for refusal in decoder.decode(refused, NOW).refused}
    assert {"trade:XYZ/USD", "ticker:XYZ/USD", "book:XYZ/USD"} == keys
    not_left = b'{"error":"Subscription Not Found","method":"unsubscribe","success":false,"symbol":"XYZ/USD"}'
    assert NOTHING == decoder.decode(not_left, NOW)


def test_every_channel_is_subscribed_to_with_its_parameters() -> None:
    venue = Kraken()
    messages = [json.loads(each.message) for each in venue.subscriptions([venue.instrument("BTC/USD")])]
    assert [
        {"channel": "trade", "symbol": ["BTC/USD"], "snapshot": False},
        {"channel": "ticker", "symbol": ["BTC/USD"], "event_trigger": "bbo"},
        {"channel": "book", "symbol": ["BTC/USD"], "depth": 10},
    ] == [message["params"] for message in messages]


def test_there_are_no_swaps() -> None:
    with pytest.raises(InvalidInputError, match="no swaps"):
        Kraken().instrument("BTC/USD:USD")
