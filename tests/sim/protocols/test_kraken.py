# https://docs.kraken.com/api/docs/websocket-v1/subscribe and /websocket-v2/book
import json
from typing import Any

import pytest

from sim.protocols.kraken import Kraken
from sim.protocols.protocol import Topic, Topics

V1_BOOK, V1_TRADE = Topic("book/v1", "XBT/USD"), Topic("trade/v1", "XBT/USD")
V2_BOOK, V2_TRADE = Topic("book/v2", "BTC/USD"), Topic("trade/v2", "BTC/USD")
KNOWN = frozenset({V1_BOOK, V1_TRADE, V2_BOOK, V2_TRADE})
kraken = Kraken()


def answered(request: object, topics: Topics) -> tuple[list[Any], Topics]:
    reply = kraken.answer(json.dumps(request), topics, KNOWN, 0)
    return [json.loads(message) for message in reply.messages], reply.topics


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        ([0, [["5541.2", "0.1", "1534614057.3", "s", "l", ""]], "trade", "XBT/USD"], V1_TRADE),
        ([0, {"as": [], "bs": []}, "book-100", "XBT/USD"], V1_BOOK),
        ([1234, {"a": []}, {"b": [], "c": "974942666"}, "book-10", "XBT/USD"], V1_BOOK),
        ({"channel": "trade", "type": "update", "data": [{"symbol": "BTC/USD"}]}, V2_TRADE),
        ({"channel": "book", "type": "snapshot", "data": [{"symbol": "BTC/USD"}]}, V2_BOOK),
        ({"channel": "status", "type": "update", "data": [{"system": "online"}]}, None),
        ({"channel": "heartbeat"}, None),
        ({"event": "heartbeat"}, None),
        ({"event": "subscriptionStatus", "pair": "XBT/USD"}, None),
        ([1, 2], None),
        (None, None),
    ],
)
def test_channels_are_topics_of_their_version(message: object, topic: Topic | None) -> None:
    assert topic == kraken.topic(message)


def test_version_1_answers_for_each_pair() -> None:
    book = {"name": "book", "depth": 25}
    request = {"event": "subscribe", "reqid": 7, "pair": ["XBT/USD", "FOO/USD"], "subscription": book}
    status = {"event": "subscriptionStatus", "subscription": book, "reqid": 7}
    known = {"pair": "XBT/USD", "status": "subscribed", "channelID": 0, "channelName": "book-25"}
    unknown = {"pair": "FOO/USD", "status": "error", "errorMessage": "Currency pair not supported"}
    messages, topics = answered(request, {})
    assert [{**status, **known}, {**status, **unknown}] == messages
    assert {V1_BOOK: "book-25"} == topics


def test_version_2_answers_for_each_symbol() -> None:
    request = {
        "method": "subscribe",
        "params": {"channel": "trade", "symbol": ["BTC/USD", "XBT/USD"], "snapshot": True},
        "req_id": 1234567890,
    }
    tag = {
        "method": "subscribe",
        "req_id": 1234567890,
        "time_in": "1970-01-01T00:00:00.000000Z",
        "time_out": "1970-01-01T00:00:00.000000Z",
    }
    done = {"success": True, "result": {"channel": "trade", "symbol": "BTC/USD", "snapshot": True}}
    refused = {"success": False, "symbol": "XBT/USD", "error": "Currency pair not supported XBT/USD"}
    messages, topics = answered(request, {})
    assert [{**tag, **done}, {**tag, **refused}] == messages
    assert {V2_TRADE: "trade"} == topics


def test_unsubscribing_takes_away_in_both_versions() -> None:
    both = {V1_TRADE: "trade", V2_TRADE: "trade"}
    version_1 = {"event": "unsubscribe", "pair": ["XBT/USD"], "subscription": {"name": "trade"}}
    (message,), topics = answered(version_1, both)
    assert ("unsubscribed", {V2_TRADE: "trade"}) == (message["status"], topics)
    version_2 = {"method": "unsubscribe", "params": {"channel": "trade", "symbol": ["BTC/USD"]}}
    (message,), topics = answered(version_2, both)
    assert (True, {V1_TRADE: "trade"}) == (message["success"], topics)


def test_pings_are_answered_in_both_versions() -> None:
    expected = [{"event": "pong", "reqid": 42}]
    assert expected == answered({"event": "ping", "reqid": 42}, {})[0]
    (pong,), _ = answered({"method": "ping", "req_id": 101}, {})
    assert {"method": "pong", "req_id": 101}.items() <= pong.items()


@pytest.mark.parametrize(
    "request_", [[], 5, {}, {"event": "subscribe"}, {"event": "dance"}, {"method": "dance"}]
)
def test_a_wrong_request_is_answered_and_changes_nothing(request_: object) -> None:
    messages, topics = answered(request_, {V1_TRADE: "trade"})
    assert (1, {V1_TRADE: "trade"}) == (len(messages), topics)


def test_each_version_greets_and_beats_in_its_own_way() -> None:
    assert json.loads(kraken.greetings("/")[0])["event"] == "systemStatus"
    assert json.loads(kraken.greetings("/v2")[0])["channel"] == "status"
    assert kraken.heartbeats({V1_TRADE: "trade"}, 0) == ('{"event":"heartbeat"}',)
    assert kraken.heartbeats({V2_TRADE: "trade"}, 0) == ('{"channel":"heartbeat"}',)
    assert kraken.heartbeats({}, 0) == ()


def test_a_tape_tells_its_version() -> None:
    expected = ["v1", "v2"]
    assert expected == [kraken.version({topic}) for topic in (V1_TRADE, V2_TRADE)]
