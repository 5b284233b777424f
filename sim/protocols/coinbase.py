"""Coinbase Exchange: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels."""

# ruff: noqa: ARG002 - what one venue needs to answer, another does not

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from market import times
from market.instruments import Market
from sim.ledger import MICROSECOND, Fill
from sim.protocols.protocol import Json, Reply, SnapshotRequest, Topic, Topics, dumps
from sim.symbols import from_coinbase

_FEED_OF_TYPE = {
    "match": "matches",
    "last_match": "matches",
    "ticker": "ticker",
    "snapshot": "level2",
    "l2update": "level2",
    "heartbeat": "heartbeat",
}
_TAKERS = {"buy": "sell", "sell": "buy"}
"""A match tells the side of the maker."""

_FEED_OF_CHANNEL = {"level2_batch": "level2", "ticker_batch": "ticker"}


class Coinbase:
    """``{"type":"match","product_id":"BTC-USD",..}``; books start from a snapshot on the socket."""

    name = "coinbase"

    def topic(self, message: Json) -> Topic | None:
        """Return the channel that sends messages of this type."""
        if not isinstance(message, dict):
            return None
        feed = _FEED_OF_TYPE.get(str(message.get("type")))
        return Topic(feed, str(message.get("product_id"))) if feed else None

    def market(self, message: Json) -> Market:
        """Everything is spot."""
        return Market.SPOT

    def fills(self, message: Json) -> Sequence[Fill]:
        """Read a match; the last one before a subscription is told again."""
        match message:
            case {
                "type": "match" | "last_match",
                "trade_id": int(number),
                "time": str(time),
                "price": price,
                "size": size,
                "side": "buy" | "sell" as maker,
            }:
                return (Fill(number, times.from_iso(time) * MICROSECOND, price, size, _TAKERS[maker]),)
        return ()

    def is_snapshot(self, message: Json) -> bool:
        """Books do not come by REST."""
        return False

    def word(self, symbol: str, market: Market) -> str:
        """Return BTC/USD."""
        return from_coinbase(symbol)

    def version(self, known: Collection[Topic]) -> str | None:
        """There is only one."""
        return None

    def topics_of(self, target: str) -> Topics | None:
        """Accept a socket at the root; what it wants is said later."""
        return {} if urlsplit(target).path in ("", "/") else None

    def greetings(self, target: str) -> tuple[str, ...]:
        """Say nothing."""
        return ()

    def answer(self, text: str, topics: Topics, known: Collection[Topic], now: int) -> Reply:
        """Answer with the list of all subscriptions, or an error that names the wrong product."""
        try:
            request = json.loads(text)
            kind, asked = request["type"], dict(_asked(request))
        except (ValueError, KeyError, TypeError, AttributeError):
            return Reply((_refusal("Malformed JSON"),), topics)
        if kind not in ("subscribe", "unsubscribe"):
            return Reply((_refusal(f"Type {kind!r} is not valid"),), topics)
        if wrong := {topic.symbol for topic in asked} - {topic.symbol for topic in known}:
            return Reply((_refusal(f"{min(wrong)} is not a valid product"),), topics)
        return _subscriptions(_changed(kind, topics, asked))

    def heartbeats(self, topics: Topics, now: int) -> tuple[str, ...]:
        """Beat for each product of the heartbeat channel; ids are 0, for there is no news in it."""
        beat = {"type": "heartbeat", "sequence": 0, "last_trade_id": 0, "time": times.to_iso(now)}
        return tuple(
            dumps({**beat, "product_id": topic.symbol}) for topic in topics if topic.feed == "heartbeat"
        )

    def snapshot_request(self, target: str) -> SnapshotRequest | None:
        """Books do not come by REST."""
        return None


def _asked(request: dict[str, Any]) -> Iterator[tuple[Topic, str]]:
    """Yield the topics of channels given by name, or as objects with products of their own."""
    for channel in request["channels"]:
        own = channel if isinstance(channel, dict) else {"name": channel}
        name = str(own["name"])
        for product in own.get("product_ids") or request.get("product_ids", ()):
            yield Topic(_FEED_OF_CHANNEL.get(name, name), str(product)), name


def _changed(kind: str, topics: Topics, asked: Topics) -> Topics:
    if kind == "subscribe":
        return {**topics, **asked}
    return {topic: name for topic, name in topics.items() if topic not in asked}


def _subscriptions(topics: Topics) -> Reply:
    channels = defaultdict(list)
    for topic, name in topics.items():
        channels[name].append(topic.symbol)
    listed = [{"name": name, "product_ids": products} for name, products in channels.items()]
    return Reply((dumps({"type": "subscriptions", "channels": listed}),), topics)


def _refusal(reason: str) -> str:
    return dumps({"type": "error", "message": "Failed to subscribe", "reason": reason})
