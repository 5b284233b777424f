"""Frames as the venue's documentation shows them, with its own numbers where it gives some.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

import json

import pytest

from ingest.books import State
from ingest.rooms import Room
from ingest.sampling import Sampling
from ingest.standings import Books, Standing
from ingest.venues.binance import Binance, BinanceDecoder
from ingest.venues.venue import DEPTHS, NOTHING, QUOTES, TRADES, Decoded, Reason, Refusal
from market.depths import Depth
from market.errors import DecodeError, InvalidInputError
from market.instruments import Market
from market.quotes import Quote
from market.times import SECOND
from market.trades import Side, Trade
from market.watermarks import Watermark

BNB = 7
BTC = 8
NOW = 1_672_515_783 * SECOND
"""A second after the documentation's event time 1672515782136."""

TRADE = {
    "e": "trade",
    "E": 1672515782136,
    "s": "BNBBTC",
    "t": 12345,
    "p": "0.001",
    "q": "100",
    "T": 1672515782130,
    "m": True,
    "M": True,
}
BOOK_TICKER = {
    "u": 400900217,
    "s": "BNBBTC",
    "b": "25.35190000",
    "B": "31.21000000",
    "a": "25.36520000",
    "A": "40.66000000",
}
DEPTH = {
    "e": "depthUpdate",
    "E": 1672515782136,
    "s": "BNBBTC",
    "U": 157,
    "u": 160,
    "b": [["0.0024", "10"]],
    "a": [["0.0026", "100"]],
}
SNAPSHOT = {"lastUpdateId": 156, "bids": [["0.0023", "1.5"]], "asks": [["0.0027", "2.5"]]}


def frame(stream: str, data: object) -> bytes:
    return json.dumps({"stream": stream, "data": data}).encode()


@pytest.fixture
def decoder() -> BinanceDecoder:
    return Binance().decoder({"BNBBTC": BNB, "BTCUSDT": BTC})


def decode(decoder: BinanceDecoder, stream: str, data: object) -> Decoded:
    return decoder.decode(frame(stream, data), NOW)


def reasons(decoded: Decoded) -> list[tuple[str, str, bool]]:
    return [(each.kind, each.reason, bool(each.payload)) for each in decoded.rejections]


def test_a_trade_has_the_time_of_the_trade_and_the_takers_side(decoder: BinanceDecoder) -> None:
    decoded = decode(decoder, "bnbbtc@trade", TRADE)
    expected = Trade(BNB, 1_672_515_782_130_000, 12345, 0.001, 100.0, Side.SELL, NOW)
    assert [expected] == list(decoded.trades)


def test_a_trade_whose_buyer_took_is_a_buy(decoder: BinanceDecoder) -> None:
    (trade,) = decode(decoder, "bnbbtc@trade", {**TRADE, "m": False}).trades
    assert trade.side == Side.BUY


def test_a_quote_without_time_inherits_the_newest_time_of_the_connection(decoder: BinanceDecoder) -> None:
    decode(decoder, "bnbbtc@trade", TRADE)
    (quote,) = decode(decoder, "bnbbtc@bookTicker", BOOK_TICKER).quotes
    assert Quote(BNB, 1_672_515_782_136_000, 400900217, 25.3519, 31.21, 25.3652, 40.66, NOW) == quote


@pytest.mark.parametrize(
    ("stream", "data", "kind"),
    [("trade", TRADE, TRADES), ("bookTicker", BOOK_TICKER, QUOTES), ("depth@100ms", DEPTH, DEPTHS)],
)
def test_a_tick_whose_text_is_none_is_kept_whole(
    decoder: BinanceDecoder, stream: str, data: object, kind: str
) -> None:
    raw = frame(f"bnbbtc@{stream}", data).replace(b"BNBBTC", b"BNB\xff")
    [rejection] = decoder.decode(raw, NOW).rejections
    assert (kind, Reason.UNDECODABLE, raw) == (rejection.kind, rejection.reason, rejection.payload)


def test_a_quote_before_any_time_is_refused_and_only_counted(decoder: BinanceDecoder) -> None:
    assert [(QUOTES, Reason.NO_TIME, False)] == reasons(decode(decoder, "bnbbtc@bookTicker", BOOK_TICKER))


def test_a_quote_whose_id_is_not_above_the_last_is_repeated(decoder: BinanceDecoder) -> None:
    decode(decoder, "bnbbtc@trade", TRADE)
    decode(decoder, "bnbbtc@bookTicker", BOOK_TICKER)
    for u in (400900217, 400900216):
        assert {QUOTES: 1} == decode(decoder, "bnbbtc@bookTicker", {**BOOK_TICKER, "u": u}).repeated


def test_a_futures_quote_has_a_time_of_its_own(decoder: BinanceDecoder) -> None:
    ticker = {**BOOK_TICKER, "e": "bookTicker", "E": 1568014460893, "T": 1568014460891}
    (quote,) = decode(decoder, "bnbusdt@bookTicker", ticker).quotes
    assert quote.ts == 1_568_014_460_891_000


def test_a_depth_update_waits_for_the_snapshot_and_is_then_applied_to_it(decoder: BinanceDecoder) -> None:
    decoded = decode(decoder, "bnbbtc@depth@100ms", DEPTH)
    assert (["BNBBTC"], 0) == (list(decoded.snapshots_wanted), decoded.ticks)
    decoded = decoder.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW + 5)
    expected = Depth(
        BNB, 1_672_515_782_136_000, 160, (0.0024, 0.0023), (10.0, 1.5), (0.0026, 0.0027), (100.0, 2.5), NOW
    )
    assert [expected] == list(decoded.depths)


def test_updates_that_the_snapshot_contains_are_duplicates(decoder: BinanceDecoder) -> None:
    decode(decoder, "bnbbtc@depth@100ms", DEPTH)
    decoded = decoder.snapshot("BNBBTC", json.dumps({**SNAPSHOT, "lastUpdateId": 160}).encode(), NOW)
    assert {DEPTHS: 1} == decoded.repeated
    assert not decoded.depths


def test_a_missing_update_makes_the_book_invalid_until_a_fresh_snapshot(decoder: BinanceDecoder) -> None:
    decoder.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW)
    assert len(decode(decoder, "bnbbtc@depth@100ms", DEPTH).depths) == 1
    broken = decode(decoder, "bnbbtc@depth@100ms", {**DEPTH, "U": 162, "u": 165})
    assert (["BNBBTC"], []) == (list(broken.snapshots_wanted), list(broken.depths))
    decoded = decoder.snapshot("BNBBTC", json.dumps({**SNAPSHOT, "lastUpdateId": 170}).encode(), NOW)
    assert [(DEPTHS, Reason.BOOK_INVALID, False)] == reasons(decoded)
    fresh = decode(decoder, "bnbbtc@depth@100ms", {**DEPTH, "U": 171, "u": 172})
    assert [172] == [depth.update_id for depth in fresh.depths]


def test_a_futures_update_continues_the_one_that_it_names(decoder: BinanceDecoder) -> None:
    decoder.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW)
    first = {**DEPTH, "U": 150, "u": 160, "pu": 149, "T": 1672515782130}
    (depth,) = decode(decoder, "bnbbtc@depth@0ms", first).depths
    assert (160, 1_672_515_782_130_000) == (depth.update_id, depth.ts)
    follows = {**first, "U": 180, "u": 190, "pu": 160}
    assert [190] == [each.update_id for each in decode(decoder, "bnbbtc@depth@0ms", follows).depths]
    breaks = {**first, "U": 195, "u": 199, "pu": 192}
    assert ["BNBBTC"] == list(decode(decoder, "bnbbtc@depth@0ms", breaks).snapshots_wanted)


def test_what_still_waits_for_a_snapshot_at_the_end_is_rejected(decoder: BinanceDecoder) -> None:
    decode(decoder, "bnbbtc@depth@100ms", DEPTH)
    assert [(DEPTHS, Reason.BOOK_INVALID, False)] == reasons(decoder.close())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"p": "0.12345678901234567891"}, Reason.NOT_A_DOUBLE),
        ({"p": "1e400"}, Reason.NOT_A_DOUBLE),
        ({"p": "much"}, Reason.NOT_A_NUMBER),
        ({"T": 1672515782}, Reason.IMPLAUSIBLE_TIME),
        ({"s": "DOGEUSDT"}, Reason.UNKNOWN_INSTRUMENT),
        ({"p": "0.00000000"}, Reason.NOT_POSITIVE),
        ({"q": "-1"}, Reason.NOT_POSITIVE),
        ({"t": "twelve"}, Reason.UNDECODABLE),
        ({"t": 2**63}, Reason.UNDECODABLE),
    ],
)
def test_a_trade_that_cannot_be_stored_is_rejected_whole(
    decoder: BinanceDecoder, change: dict[str, object], reason: Reason
) -> None:
    raw = frame("bnbbtc@trade", {**TRADE, **change})
    (rejection,) = decoder.decode(raw, NOW).rejections
    assert (TRADES, reason, raw) == (rejection.kind, rejection.reason, rejection.payload)


def test_a_depth_with_an_inexact_size_is_rejected_and_the_book_goes_on(decoder: BinanceDecoder) -> None:
    decoder.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW)
    inexact = {**DEPTH, "b": [["0.0024", "10.12345678901234567891"]]}
    assert [(DEPTHS, Reason.NOT_A_DOUBLE, True)] == reasons(decode(decoder, "bnbbtc@depth", inexact))
    mended = {**DEPTH, "U": 161, "u": 162, "b": [["0.0024", "10.5"]]}
    assert [162] == [each.update_id for each in decode(decoder, "bnbbtc@depth", mended).depths]


def test_a_depth_update_that_cannot_be_read_makes_the_book_invalid(decoder: BinanceDecoder) -> None:
    decoder.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW)
    unreadable = decode(decoder, "bnbbtc@depth", {**DEPTH, "b": [["0.0024", "much"]]})
    assert [(DEPTHS, Reason.NOT_A_NUMBER, True)] == reasons(unreadable)
    assert (["BNBBTC"], [BNB]) == (list(unreadable.snapshots_wanted), list(unreadable.broken))
    assert not decode(decoder, "bnbbtc@depth", {**DEPTH, "U": 161, "u": 162}).depths


def test_a_crossed_book_is_invalid_until_a_fresh_snapshot(decoder: BinanceDecoder) -> None:
    decoder.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW)
    crossed = decode(decoder, "bnbbtc@depth", {**DEPTH, "b": [["0.0026", "10"]]})
    assert (["BNBBTC"], [BNB], []) == (
        list(crossed.snapshots_wanted),
        list(crossed.broken),
        list(crossed.depths),
    )
    fresh = decoder.snapshot("BNBBTC", json.dumps({**SNAPSHOT, "lastUpdateId": 160}).encode(), NOW)
    assert [(DEPTHS, Reason.BOOK_INVALID, False)] == reasons(fresh)
    assert [162] == [
        each.update_id for each in decode(decoder, "bnbbtc@depth", {**DEPTH, "U": 161, "u": 162}).depths
    ]


def test_how_a_book_stands_outlives_its_connection() -> None:
    books = Books()
    first = Binance().decoder({"BNBBTC": BNB}, books)
    decode(first, "bnbbtc@depth", DEPTH)
    assert books.standings[BNB].state is State.SNAPSHOT
    first.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW)
    assert books.standings[BNB] == Standing(State.VALID, NOW)
    assert [BNB] == list(decode(first, "bnbbtc@depth", {**DEPTH, "U": 170, "u": 171}).broken)
    assert books.standings[BNB] == Standing(State.SNAPSHOT, NOW, resyncs=1, cause="sequence")
    first.close()
    assert books.standings[BNB].state is State.INVALID


def test_instruments_come_and_go_on_one_connection() -> None:
    books = Books()
    decoder = Binance().decoder({}, books)
    assert reasons(decode(decoder, "bnbbtc@trade", TRADE)) == [(TRADES, Reason.UNKNOWN_INSTRUMENT, True)]
    decoder.learn("BNBBTC", BNB)
    assert [BNB] == [trade.instrument_id for trade in decode(decoder, "bnbbtc@trade", TRADE).trades]
    decoder.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW)
    decoder.forget("BNBBTC")
    assert not books.standings
    later = {**TRADE, "t": 12346, "T": TRADE["T"], "E": 1672515790136}
    decoded = decode(decoder, "bnbbtc@trade", later)
    assert (1, []) == (len(decoded.trades), list(decoded.watermarks))
    assert {DEPTHS: 1} == decode(decoder, "bnbbtc@depth", DEPTH).conflated


def test_updates_of_a_book_that_is_left_before_its_snapshot_came_are_rejected_once() -> None:
    room = Room()
    decoder = Binance().decoder({"BNBBTC": BNB}, Books(room=room))
    assert ["BNBBTC"] == list(decode(decoder, "bnbbtc@depth", DEPTH).snapshots_wanted)
    assert [(DEPTHS, Reason.BOOK_INVALID, False)] == reasons(decoder.forget("BNBBTC"))
    assert 0 == room.held
    later = decode(decoder, "bnbbtc@depth", {**DEPTH, "U": 161, "u": 162})
    assert ({DEPTHS: 1}, []) == (dict(later.conflated), list(later.snapshots_wanted))
    assert NOTHING == decoder.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW)
    unreadable = decode(decoder, "bnbbtc@depth", {**DEPTH, "U": 163, "u": 164, "b": [["abc", "1"]]})
    assert [DEPTHS] == [rejection.kind for rejection in unreadable.rejections]
    assert [] == reasons(decoder.close())


def test_a_book_that_was_left_and_is_wanted_again_asks_for_its_snapshot_again() -> None:
    decoder = Binance().decoder({"BNBBTC": BNB}, Books())
    decode(decoder, "bnbbtc@depth", DEPTH)
    decoder.forget("BNBBTC")
    decoder.learn("BNBBTC", BNB)
    assert ["BNBBTC"] == list(decode(decoder, "bnbbtc@depth", {**DEPTH, "U": 161, "u": 162}).snapshots_wanted)
    snapshot = decoder.snapshot("BNBBTC", json.dumps({**SNAPSHOT, "lastUpdateId": 160}).encode(), NOW)
    assert [162] == [depth.update_id for depth in snapshot.depths]


def test_an_answer_to_leaving_is_none_to_a_subscription(decoder: BinanceDecoder) -> None:
    venue = Binance()
    [message] = venue.unsubscriptions([venue.instrument("BNB/BTC")])
    for answer in ({"result": None}, {"code": 2, "msg": "Invalid request"}):
        raw = json.dumps({**answer, "id": json.loads(message)["id"]}).encode()
        assert NOTHING == decoder.decode(raw, NOW)


def test_of_the_updates_of_one_slot_the_first_is_written_and_the_others_are_conflated() -> None:
    decoder = Binance().decoder({"BNBBTC": BNB}, Books(Sampling()))
    decoder.snapshot("BNBBTC", json.dumps(SNAPSHOT).encode(), NOW)
    assert [160] == [each.update_id for each in decode(decoder, "bnbbtc@depth", DEPTH).depths]
    second = decode(decoder, "bnbbtc@depth", {**DEPTH, "U": 161, "u": 162, "a": []})
    assert ([], {DEPTHS: 1}, 0) == (list(second.depths), dict(second.conflated), second.ticks)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"stream":"bnbbtc@kline_1m","data":{}}', b"{}"]
)
def test_a_frame_of_another_protocol_is_a_decode_error(decoder: BinanceDecoder, raw: bytes) -> None:
    with pytest.raises(DecodeError, match="binance sent a frame"):
        decoder.decode(raw, NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b'{"lastUpdateId":1,"bids":[["1\xff","1"]],"asks":[]}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"lastUpdateId":1,"bids":[["1","1"]],"asks":[["abc","1"]]}',
    ],
)
def test_a_body_that_cannot_be_read_is_no_book(decoder: BinanceDecoder, body: bytes) -> None:
    with pytest.raises(DecodeError, match="binance answered no book of BTCUSDT"):
        decoder.snapshot("BTCUSDT", body, NOW)


def test_subscriptions_are_acknowledged_or_refused_by_their_id(decoder: BinanceDecoder) -> None:
    assert ["312"] == list(decoder.decode(b'{"result":null,"id":312}', NOW).acknowledged)
    refusal = b'{"code":2,"msg":"Invalid request: unknown variant","id":3}'
    assert [Refusal("3", "Invalid request: unknown variant (2)")] == list(
        decoder.decode(refusal, NOW).refused
    )
    refusal = b'{"error":{"code":-1121,"msg":"Invalid symbol."},"id":3}'
    assert [Refusal("3", "Invalid symbol. (-1121)")] == list(decoder.decode(refusal, NOW).refused)


def test_a_watermark_tells_of_the_instruments_that_did_not_trade(decoder: BinanceDecoder) -> None:
    assert not decode(decoder, "bnbbtc@trade", TRADE).watermarks
    later = {**TRADE, "E": 1672515783136, "T": 1672515783130}
    decoded = decode(decoder, "bnbbtc@trade", later)
    assert [Watermark(BTC, 1_672_515_782 * SECOND, NOW)] == list(decoded.watermarks)
    assert not decode(decoder, "bnbbtc@trade", later).watermarks


def test_spot_and_swap_share_a_raw_symbol_and_nothing_else() -> None:
    venue = Binance()
    spot, swap = venue.instrument("BTC/USDT"), venue.instrument("BTC/USDT:USDT")
    assert ("BTCUSDT", "BTCUSDT") == (spot.venue_symbol, swap.venue_symbol)
    assert (Market.SPOT, Market.SWAP) == (spot.market, swap.market)
    assert not set(venue.stream_urls(spot.market)) & set(venue.stream_urls(swap.market))
    assert venue.snapshot_url(spot) == "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000"
    assert venue.snapshot_url(swap) == "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000"


@pytest.mark.parametrize("symbol", ["BTCUSDT", "btc/usdt", "BTC/", "BTC/USDT:BTC", "BTC/USDT:", "A/B/C"])
def test_a_symbol_that_is_not_in_our_words_is_refused(symbol: str) -> None:
    with pytest.raises(InvalidInputError, match="is not BASE/QUOTE"):
        Binance().instrument(symbol)


def test_fifty_symbols_are_subscribed_to_in_one_message() -> None:
    venue = Binance()
    instruments = [venue.instrument(f"A{number}/USDT") for number in range(51)]
    messages = venue.subscriptions(instruments)
    assert [("1",), ("2",)] == [message.keys for message in messages]
    expected = {
        "method": "SUBSCRIBE",
        "params": ["a50usdt@trade", "a50usdt@bookTicker", "a50usdt@depth@100ms"],
        "id": 2,
    }
    assert expected == json.loads(messages[1].message)
