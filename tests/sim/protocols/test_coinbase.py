# https://docs.cdp.coinbase.com/exchange/websocket-feed/overview and /channels
import json
from typing import Any

import pytest

from sim.protocols.coinbase import Coinbase
from sim.protocols.protocol import Topic, Topics

MATCHES, TICKER, BOOK = (Topic(feed, "ETH-USD") for feed in ("matches", "ticker", "level2"))
KNOWN = frozenset({MATCHES, TICKER, BOOK, Topic("matches", "ETH-EUR")})
coinbase = Coinbase()


def answered(request: object, topics: Topics) -> tuple[Any, Topics]:
    reply = coinbase.answer(json.dumps(request), topics, KNOWN, 0)
    (message,) = reply.messages
    return json.loads(message), reply.topics


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("match", MATCHES),
        ("last_match", MATCHES),
        ("ticker", TICKER),
        ("snapshot", BOOK),
        ("l2update", BOOK),
        ("heartbeat", Topic("heartbeat", "ETH-USD")),
        ("subscriptions", None),
        ("error", None),
    ],
)
def test_each_type_belongs_to_a_channel(kind: str, topic: Topic | None) -> None:
    assert topic == coinbase.topic({"type": kind, "product_id": "ETH-USD"})


def test_subscribing_is_answered_with_all_subscriptions() -> None:
    message, topics = answered(
        {"type": "subscribe", "product_ids": ["ETH-USD"], "channels": ["level2_batch", "ticker"]},
        {MATCHES: "matches"},
    )
    listed = [{"name": name, "product_ids": ["ETH-USD"]} for name in ("matches", "level2_batch", "ticker")]
    assert {"type": "subscriptions", "channels": listed} == message
    assert topics.keys() == {MATCHES, BOOK, TICKER}


def test_a_channel_may_name_products_of_its_own() -> None:
    own = {"name": "ticker", "product_ids": ["ETH-EUR"]}
    request = {"type": "subscribe", "product_ids": ["ETH-USD"], "channels": ["matches", own]}
    _, topics = answered(request, {})
    assert {MATCHES: "matches", Topic("ticker", "ETH-EUR"): "ticker"} == topics


def test_unsubscribing_takes_away() -> None:
    request = {"type": "unsubscribe", "product_ids": ["ETH-USD"], "channels": ["matches"]}
    _, topics = answered(request, {MATCHES: "matches", TICKER: "ticker"})
    assert {TICKER: "ticker"} == topics


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (
            {"type": "subscribe", "product_ids": ["FOO-USD"], "channels": ["ticker"]},
            "FOO-USD is not a valid product",
        ),
        ({"type": "shout", "channels": []}, "Type 'shout' is not valid"),
        ({"type": "subscribe"}, "Malformed JSON"),
        ([], "Malformed JSON"),
    ],
)
def test_a_wrong_request_is_refused_with_its_reason(request_: object, reason: str) -> None:
    message, topics = answered(request_, {})
    assert {"type": "error", "message": "Failed to subscribe", "reason": reason} == message
    assert topics == {}


def test_only_the_heartbeat_channel_beats() -> None:
    topics = {TICKER: "ticker", Topic("heartbeat", "ETH-USD"): "heartbeat"}
    (beat,) = coinbase.heartbeats(topics, 1_000_000)
    expected = {"type": "heartbeat", "product_id": "ETH-USD", "time": "1970-01-01T00:00:01.000000Z"}
    assert expected.items() <= json.loads(beat).items()


def test_sockets_are_at_the_root() -> None:
    expected: list[Topics | None] = [{}, {}, None]
    assert expected == [coinbase.topics_of(target) for target in ("/", "", "/products")]
