"""What is said to listen no more, and which refusals are for ever; as the venues' documents have it."""

import json

import pytest

from ingest.venues.registry import venue


def test_binance_leaves_all_streams_in_one_request() -> None:
    adapter = venue("binance")
    (message,) = adapter.unsubscriptions([adapter.instrument("BTC/USDT"), adapter.instrument("ETH/USDT")])
    request = json.loads(message)
    streams = [f"{s}@{f}" for s in ("btcusdt", "ethusdt") for f in ("trade", "bookTicker", "depth@100ms")]
    assert ("UNSUBSCRIBE", streams) == (request["method"], request["params"])
    subscribed = [
        key for each in adapter.subscriptions([adapter.instrument("BTC/USDT")]) for key in each.keys
    ]
    assert str(request["id"]) not in subscribed


def test_coinbase_leaves_all_channels_in_one_message() -> None:
    adapter = venue("coinbase")
    (message,) = adapter.unsubscriptions([adapter.instrument("BTC/USD"), adapter.instrument("ETH/USD")])
    assert {
        "type": "unsubscribe",
        "product_ids": ["BTC-USD", "ETH-USD"],
        "channels": ["matches", "ticker", "level2_batch", "heartbeat"],
    } == json.loads(message)


def test_kraken_leaves_channel_by_channel() -> None:
    adapter = venue("kraken")
    messages = [json.loads(each) for each in adapter.unsubscriptions([adapter.instrument("BTC/USD")])]
    assert ["trade", "ticker", "book"] == [each["params"]["channel"] for each in messages]
    assert [("unsubscribe", ["BTC/USD"])] * 3 == [
        (each["method"], each["params"]["symbol"]) for each in messages
    ]


def test_krakens_first_protocol_leaves_in_its_own_words() -> None:
    adapter = venue("kraken", "v1")
    messages = [json.loads(each) for each in adapter.unsubscriptions([adapter.instrument("BTC/USD")])]
    assert ["trade", "ticker", "spread", "book"] == [each["subscription"]["name"] for each in messages]
    assert [("unsubscribe", ["XBT/USD"])] * 4 == [(each["event"], each["pair"]) for each in messages]


@pytest.mark.parametrize(
    ("name", "for_ever", "for_now"),
    [
        ("binance", "Invalid symbol. (-1121)", "Too many requests"),
        ("coinbase", "Failed to subscribe: ABC-USD is not a valid product", "Failed to subscribe: slow down"),
        ("kraken", "Currency pair not supported ABC/USD", "Exceeded msg rate"),
    ],
)
def test_a_symbol_that_is_not_there_is_told_from_a_bad_moment(name: str, for_ever: str, for_now: str) -> None:
    adapter = venue(name)
    assert (True, False) == (adapter.delisted(for_ever), adapter.delisted(for_now))


def test_coinbase_refuses_the_product_that_it_names_and_none_that_begins_alike() -> None:
    adapter = venue("coinbase")
    decoder = adapter.decoder({"BTC-USD": 1, "BTC-USDX": 2})
    frame = {"type": "error", "message": "Failed to subscribe", "reason": "BTC-USDX is not a valid product"}
    refused = decoder.decode(json.dumps(frame).encode(), 0).refused
    assert {"BTC-USDX"} == {refusal.key.partition(":")[2] for refusal in refused}
