"""Frames as the venue's documentation shows them.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

import json
from contextlib import suppress
from math import isnan

import pytest

from ingest.venues.coinbase import Coinbase, CoinbaseDecoder
from ingest.venues.venue import DEPTHS, FRAMES, QUOTES, TRADES, Decoded, Reason, Refusal
from market.errors import DecodeError, InvalidInputError
from market.times import SECOND, from_iso
from market.trades import Side, Trade
from market.watermarks import Watermark

BTC = 3
ETH = 4
NOW = from_iso("2022-10-19T23:28:23Z")

MATCH = {
    "type": "match",
    "trade_id": 10,
    "sequence": 50,
    "maker_order_id": "ac928c66-ca53-498f-9c13-a110027a60e8",
    "taker_order_id": "132fb6ae-456b-4654-b4e0-d681ac05cea1",
    "time": "2014-11-07T08:19:27.028459Z",
    "product_id": "BTC-USD",
    "size": "5.23512",
    "price": "400.23",
    "side": "sell",
}
TICKER = {
    "type": "ticker",
    "sequence": 37475248783,
    "product_id": "ETH-USD",
    "price": "1285.22",
    "open_24h": "1310.79",
    "volume_24h": "245532.79269678",
    "best_bid": "1285.04",
    "best_bid_size": "0.46688654",
    "best_ask": "1285.27",
    "best_ask_size": "1.56637040",
    "side": "buy",
    "time": "2022-10-19T23:28:22.061769Z",
    "trade_id": 370843401,
    "last_size": "11.4396987",
}
SNAPSHOT = {
    "type": "snapshot",
    "product_id": "BTC-USD",
    "bids": [["10101.10", "0.45054140"]],
    "asks": [["10102.55", "0.57753524"]],
}
UPDATE = {
    "type": "l2update",
    "product_id": "BTC-USD",
    "changes": [["buy", "10101.80000000", "0.162567"]],
    "time": "2022-08-04T15:25:05.010758Z",
}


@pytest.fixture
def decoder() -> CoinbaseDecoder:
    return Coinbase().decoder({"BTC-USD": BTC, "ETH-USD": ETH})


def decode(decoder: CoinbaseDecoder, frame: object) -> Decoded:
    return decoder.decode(json.dumps(frame).encode(), NOW)


def reasons(decoded: Decoded) -> list[tuple[str, str, bool]]:
    return [(each.kind, each.reason, bool(each.payload)) for each in decoded.rejections]


@pytest.mark.parametrize("type_", ["match", "last_match"])
def test_a_match_has_the_other_side_than_its_maker(decoder: CoinbaseDecoder, type_: str) -> None:
    expected = Trade(BTC, from_iso("2014-11-07T08:19:27.028459Z"), 10, 400.23, 5.23512, Side.BUY, NOW)
    assert [expected] == list(decode(decoder, {**MATCH, "type": type_}).trades)


def test_a_ticker_is_a_quote_by_its_sequence(decoder: CoinbaseDecoder) -> None:
    (quote,) = decode(decoder, TICKER).quotes
    assert (ETH, 37475248783, from_iso("2022-10-19T23:28:22.061769Z")) == (
        quote.instrument_id,
        quote.update_id,
        quote.ts,
    )
    assert (1285.04, 0.46688654, 1285.27, 1.5663704) == (
        quote.bid_price,
        quote.bid_size,
        quote.ask_price,
        quote.ask_size,
    )


def test_a_size_that_is_not_told_is_not_a_number(decoder: CoinbaseDecoder) -> None:
    told = {key: value for key, value in TICKER.items() if not key.endswith("_size")}
    (quote,) = decode(decoder, told).quotes
    assert isnan(quote.bid_size)
    assert isnan(quote.ask_size)


def test_a_ticker_without_time_inherits_the_newest(decoder: CoinbaseDecoder) -> None:
    timeless = {key: value for key, value in TICKER.items() if key != "time"}
    assert [(QUOTES, Reason.NO_TIME, False)] == reasons(decode(decoder, timeless))
    decode(decoder, MATCH)
    (quote,) = decode(decoder, timeless).quotes
    assert quote.ts == from_iso("2014-11-07T08:19:27.028459Z")


def test_a_book_begins_with_a_snapshot_and_follows_its_updates(decoder: CoinbaseDecoder) -> None:
    assert [(DEPTHS, Reason.NO_TIME, False)] == reasons(decode(decoder, SNAPSHOT))
    (depth,) = decode(decoder, UPDATE).depths
    assert ((10101.8, 10101.1), (0.162567, 0.4505414)) == (depth.bid_prices, depth.bid_sizes)
    assert ((10102.55,), (0.57753524,)) == (depth.ask_prices, depth.ask_sizes)
    assert depth.ts == from_iso("2022-08-04T15:25:05.010758Z")


def test_a_snapshot_after_any_time_is_a_depth(decoder: CoinbaseDecoder) -> None:
    decode(decoder, MATCH)
    assert len(decode(decoder, SNAPSHOT).depths) == 1


def test_an_update_before_its_snapshot_is_rejected_and_a_fresh_book_wanted(decoder: CoinbaseDecoder) -> None:
    decoded = decode(decoder, UPDATE)
    assert ([(DEPTHS, Reason.BOOK_INVALID, False)], ["BTC-USD"]) == (
        reasons(decoded),
        list(decoded.snapshots_wanted),
    )


def test_the_same_frames_give_the_same_ids_and_others_other_ids() -> None:
    frames = [SNAPSHOT, UPDATE, UPDATE, {**UPDATE, "changes": [["sell", "10102.55", "0"]]}]
    runs = []
    for _ in range(2):
        decoder = Coinbase().decoder({"BTC-USD": BTC})
        decode(decoder, MATCH)
        runs.append([depth.update_id for frame in frames for depth in decode(decoder, frame).depths])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == len(frames)
    assert sorted(runs[0][1:]) == runs[0][1:]


def test_a_crossed_book_is_invalid_until_a_fresh_snapshot(decoder: CoinbaseDecoder) -> None:
    decode(decoder, MATCH)
    decode(decoder, SNAPSHOT)
    crossed = decode(decoder, {**UPDATE, "changes": [["buy", "10102.55", "1"]]})
    assert ([(DEPTHS, Reason.BOOK_INVALID, False)], ["BTC-USD"], [BTC]) == (
        reasons(crossed),
        list(crossed.snapshots_wanted),
        list(crossed.broken),
    )
    assert not decode(decoder, UPDATE).depths
    assert len(decode(decoder, SNAPSHOT).depths) == 1


def test_an_update_from_before_the_last_shows_that_the_order_was_lost(decoder: CoinbaseDecoder) -> None:
    decode(decoder, SNAPSHOT)
    decode(decoder, UPDATE)
    assert len(decode(decoder, UPDATE).depths) == 1
    older = decode(decoder, {**UPDATE, "time": "2022-08-04T15:25:05.010757Z"})
    assert ([BTC], []) == (list(older.broken), list(older.depths))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"l2update","product_id":"BTC-USD","changes":7}',
        b'{"type":"l2up',
        b'{"type":' + b"[" * 100_000,
    ],
)
def test_a_frame_that_may_have_been_an_update_makes_the_book_invalid(
    decoder: CoinbaseDecoder, raw: bytes
) -> None:
    decode(decoder, SNAPSHOT)
    broken: list[int] = []
    with suppress(DecodeError):
        broken += decoder.decode(raw, NOW).broken
    following = decode(decoder, UPDATE)
    assert ([BTC], []) == ([*broken, *following.broken], list(following.depths))


def test_a_level_that_is_no_number_makes_the_book_invalid(decoder: CoinbaseDecoder) -> None:
    decode(decoder, SNAPSHOT)
    decoded = decode(decoder, {**UPDATE, "changes": [["buy", "1", "much"]]})
    assert [(DEPTHS, Reason.NOT_A_NUMBER, True)] == reasons(decoded)
    assert ["BTC-USD"] == list(decoded.snapshots_wanted)
    assert [(DEPTHS, Reason.BOOK_INVALID, False)] == reasons(decode(decoder, UPDATE))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": "0.12345678901234567891"}, Reason.NOT_A_DOUBLE),
        ({"time": "1970-01-01T00:00:00Z"}, Reason.IMPLAUSIBLE_TIME),
        ({"time": "yesterday"}, Reason.IMPLAUSIBLE_TIME),
        ({"product_id": "DOGE-USD"}, Reason.UNKNOWN_INSTRUMENT),
        ({"trade_id": "ten"}, Reason.UNDECODABLE),
    ],
)
def test_a_match_that_cannot_be_stored_is_rejected_whole(
    decoder: CoinbaseDecoder, change: dict[str, object], reason: Reason
) -> None:
    assert [(TRADES, reason, True)] == reasons(decode(decoder, {**MATCH, **change}))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b'{"type":"received"}', b'{"type":7}'])
def test_a_frame_of_another_protocol_is_a_decode_error(decoder: CoinbaseDecoder, raw: bytes) -> None:
    with pytest.raises(DecodeError, match="coinbase sent a frame"):
        decoder.decode(raw, NOW)


def test_subscriptions_are_acknowledged_by_channel_and_product(decoder: CoinbaseDecoder) -> None:
    (subscription, _) = Coinbase().subscriptions(
        [Coinbase().instrument(f"{coin}/USD") for coin in ("BTC", "ETH")]
    )
    channels = [
        {"name": name, "product_ids": ["BTC-USD"]} for name in ("level2_50", "ticker", "matches", "heartbeat")
    ]
    answer = decode(decoder, {"type": "subscriptions", "channels": channels})
    assert set(subscription.keys) == set(answer.acknowledged)
    request = json.loads(subscription.message)
    assert {"type": "subscribe", "product_ids": ["BTC-USD"]} == {
        key: value for key, value in request.items() if key != "channels"
    }


def test_a_refusal_names_every_channel_of_its_product(decoder: CoinbaseDecoder) -> None:
    error = {"type": "error", "message": "Failed to subscribe", "reason": "ETH-USD is not a valid product"}
    refused = decode(decoder, error).refused
    assert {"matches:ETH-USD", "ticker:ETH-USD", "level2:ETH-USD", "heartbeat:ETH-USD"} == {
        refusal.key for refusal in refused
    }
    error = {"type": "error", "message": "rate limit exceeded"}
    assert [Refusal("", "rate limit exceeded: ")] == list(decode(decoder, error).refused)


def test_a_heartbeat_says_how_late_it_is_where_nothing_trades(decoder: CoinbaseDecoder) -> None:
    beat = {
        "type": "heartbeat",
        "sequence": 90,
        "last_trade_id": 20,
        "product_id": "BTC-USD",
        "time": "2014-11-07T08:19:28.464459Z",
    }
    assert not decode(decoder, beat).watermarks
    later = decode(decoder, {**beat, "time": "2014-11-07T08:19:30.5Z"})
    assert {from_iso("2014-11-07T08:19:29Z")} == {mark.ts for mark in later.watermarks}


def test_a_heartbeat_of_no_time_is_a_frame_that_is_rejected(decoder: CoinbaseDecoder) -> None:
    timeless = decode(decoder, {"type": "heartbeat", "product_id": "BTC-USD", "time": "soon"})
    assert [(FRAMES, Reason.IMPLAUSIBLE_TIME, True)] == reasons(timeless)


def test_a_watermark_tells_of_the_products_that_did_not_trade(decoder: CoinbaseDecoder) -> None:
    decode(decoder, MATCH)
    decoded = decode(decoder, {**MATCH, "time": "2014-11-07T08:19:29.5Z"})
    passed = from_iso("2014-11-07T08:19:28Z")
    assert [Watermark(ETH, passed, NOW)] == list(decoded.watermarks)
    assert passed % SECOND == 0


def test_there_are_no_swaps() -> None:
    assert Coinbase().instrument("BTC/USD").venue_symbol == "BTC-USD"
    with pytest.raises(InvalidInputError, match="spot alone"):
        Coinbase().instrument("BTC/USD:USD")


def test_a_book_is_renewed_by_leaving_it_and_subscribing_again() -> None:
    leave, join = map(json.loads, Coinbase().renewal(Coinbase().instrument("BTC/USD")))
    assert {"type": "unsubscribe", "product_ids": ["BTC-USD"], "channels": ["level2_batch"]} == leave
    assert {**leave, "type": "subscribe"} == join
