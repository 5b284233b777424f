# https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
# https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
import json
from typing import Any

import pytest

from market.errors import InvalidInputError
from market.instruments import Market
from sim.protocols.binance import Binance
from sim.protocols.protocol import SnapshotRequest, Topic, Topics

TRADE, DEPTH = Topic("trade", "BNBBTC"), Topic("depth", "BNBBTC")
binance = Binance()


def answered(text: str, topics: Topics) -> tuple[list[Any], Topics]:
    reply = binance.answer(text, topics, frozenset(), 0)
    return [json.loads(message) for message in reply.messages], reply.topics


@pytest.mark.parametrize(
    ("stream", "topic"),
    [
        ("bnbbtc@trade", TRADE),
        ("bnbbtc@depth", DEPTH),
        ("bnbbtc@depth@100ms", DEPTH),
        ("bnbbtc@depth@0ms", DEPTH),
        ("bnbbtc@depth5@100ms", Topic("depth5@100ms", "BNBBTC")),
        ("bnbbtc@kline_1m", Topic("kline_1m", "BNBBTC")),
    ],
)
def test_a_stream_is_a_topic_at_any_speed(stream: str, topic: Topic) -> None:
    assert topic == binance.topic({"stream": stream, "data": {}})


@pytest.mark.parametrize("message", [{"result": None, "id": 1}, {"lastUpdateId": 160}, None, [], 5])
def test_other_messages_have_no_topic(message: object) -> None:
    assert binance.topic(message) is None


def test_subscribing_is_acknowledged_with_the_id() -> None:
    expected = ([{"result": None, "id": 1}], {TRADE: "bnbbtc@trade", DEPTH: "bnbbtc@depth@100ms"})
    request = '{"method":"SUBSCRIBE","params":["bnbbtc@trade","bnbbtc@depth@100ms"],"id":1}'
    assert expected == answered(request, {})


def test_unsubscribing_takes_away_and_listing_names_as_asked() -> None:
    topics = {TRADE: "bnbbtc@trade", DEPTH: "bnbbtc@depth@100ms"}
    expected = ([{"result": None, "id": 312}], {DEPTH: "bnbbtc@depth@100ms"})
    assert expected == answered('{"method":"UNSUBSCRIBE","params":["bnbbtc@trade"],"id":312}', topics)
    listed = ([{"result": ["bnbbtc@trade", "bnbbtc@depth@100ms"], "id": 3}], topics)
    assert listed == answered('{"method":"LIST_SUBSCRIPTIONS","id":3}', topics)


@pytest.mark.parametrize(
    ("request_", "code"),
    [("{", 3), ("[]", 3), ('{"method":"SUBSCRIBE","params":[1]}', 3), ('{"method":"LOGIN","id":9}', 2)],
)
def test_a_wrong_request_is_answered_with_an_error_and_changes_nothing(request_: str, code: int) -> None:
    messages, topics = answered(request_, {TRADE: "bnbbtc@trade"})
    assert ([code], {TRADE: "bnbbtc@trade"}) == ([message["code"] for message in messages], topics)


def test_the_address_may_subscribe() -> None:
    expected = {TRADE: "bnbbtc@trade", DEPTH: "bnbbtc@depth"}
    assert expected == binance.topics_of("/stream?streams=bnbbtc@trade/bnbbtc@depth")
    assert binance.topics_of("/stream") == {}
    assert binance.topics_of("/elsewhere") is None


SPOT_TRADE = {"e": "trade", "E": 1672515782136, "s": "BNBBTC", "t": 12345, "p": "0.001", "q": "100"}
SWAP_DEPTH = {
    "e": "depthUpdate",
    "E": 123456789,
    "T": 123456788,
    "s": "BTCUSDT",
    "U": 157,
    "u": 160,
    "pu": 149,
}
SWAP_QUOTE = {"e": "bookTicker", "u": 400900217, "E": 1568014460893, "T": 1568014460891, "s": "BNBUSDT"}


@pytest.mark.parametrize(
    ("data", "market"),
    [
        (SPOT_TRADE, Market.SPOT),
        ({"u": 400900217, "s": "BNBUSDT", "b": "25.35190000"}, Market.SPOT),
        (SWAP_DEPTH, Market.SWAP),
        (SWAP_QUOTE, Market.SWAP),
        ({**SPOT_TRADE, "X": "MARKET"}, Market.SWAP),
    ],
)
def test_the_market_is_told_by_what_only_swaps_send(data: dict[str, Any], market: Market) -> None:
    assert market is binance.market({"stream": "x@trade", "data": data})


def test_coin_margined_contracts_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="BTCUSD_PERP is of COIN-M"):
        binance.market({"stream": "x", "data": {**SWAP_QUOTE, "s": "BTCUSD_PERP", "ps": "BTCUSD"}})


def test_a_swap_settles_in_its_quote() -> None:
    expected = ["BTC/USDT", "BTC/USDT:USDT"]
    assert expected == [binance.word("BTCUSDT", market) for market in (Market.SPOT, Market.SWAP)]


@pytest.mark.parametrize(
    ("target", "request_"),
    [
        ("/api/v3/depth?symbol=BNBBTC&limit=1000", SnapshotRequest("BNBBTC", 1000)),
        ("/fapi/v1/depth?symbol=BTCUSDT", SnapshotRequest("BTCUSDT", 500)),
        ("/api/v3/depth", SnapshotRequest("", 500)),
        ("/api/v3/trades?symbol=BNBBTC", None),
    ],
)
def test_a_book_is_asked_for_by_rest(target: str, request_: SnapshotRequest | None) -> None:
    assert request_ == binance.snapshot_request(target)
