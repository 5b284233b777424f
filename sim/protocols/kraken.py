"""Kraken spot, both versions of its socket.

https://docs.kraken.com/api/docs/websocket-v1/subscribe
https://docs.kraken.com/api/docs/websocket-v2/book
"""

# ruff: noqa: ARG002 - what one venue needs to answer, another does not

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from market import times
from market.instruments import Market
from sim.ledger import MICROSECOND, Fill
from sim.protocols.protocol import Json, Reply, SnapshotRequest, Topic, Topics, dumps
from sim.symbols import from_kraken

_V1, _V2 = "v1", "v2"
_CONNECTION = 1
_SIDES = {"b": "buy", "s": "sell"}


class Kraken:
    """Version 1 sends arrays, version 2 objects; the feed of a topic ends in its version: ``trade/v1``."""

    name = "kraken"

    def topic(self, message: Json) -> Topic | None:
        """Read ``[channelID, payload.., channelName, pair]`` and objects; the venue's own words have none."""
        match message:
            case [int(), _, *_, str() as name, str() as pair]:
                return Topic(_feed(name, _V1), pair)
            case {"channel": str() as channel, "data": [{"symbol": str() as pair}, *_]}:
                return Topic(_feed(channel, _V2), pair)
        return None

    def market(self, message: Json) -> Market:
        """Everything is spot."""
        return Market.SPOT

    def fills(self, message: Json) -> Sequence[Fill]:
        """Read the trades of either version; those of version 1 have no ids."""
        match message:
            case [_, list() as rows, "trade", _]:
                return tuple(_fills_v1(rows))
            case {"channel": "trade", "data": list() as rows}:
                return tuple(_fills_v2(rows))
        return ()

    def is_snapshot(self, message: Json) -> bool:
        """Books do not come by REST."""
        return False

    def word(self, symbol: str, market: Market) -> str:
        """Return BTC/USD of XBT/USD."""
        return from_kraken(symbol)

    def version(self, known: Collection[Topic]) -> str | None:
        """Return v1 or v2."""
        return _V1 if _pairs(_V1, known) else _V2

    def topics_of(self, target: str) -> Topics | None:
        """Accept a socket at the root (version 1) and at ``/v2``."""
        return {} if urlsplit(target).path in ("", "/", "/v2") else None

    def greetings(self, target: str) -> tuple[str, ...]:
        """Tell the status of the system."""
        if urlsplit(target).path == "/v2":
            status = {
                "version": "2.0.0",
                "system": "online",
                "api_version": "v2",
                "connection_id": _CONNECTION,
            }
            return (dumps({"channel": "status", "type": "update", "data": [status]}),)
        online = {
            "connectionID": _CONNECTION,
            "event": "systemStatus",
            "status": "online",
            "version": "1.8.3",
        }
        return (dumps(online),)

    def answer(self, text: str, topics: Topics, known: Collection[Topic], now: int) -> Reply:
        """Answer one message a pair, in the version of the request."""
        try:
            request = json.loads(text)
            if "event" in request:
                return _answer_v1(request, topics, known)
            return _answer_v2(request, topics, known, times.to_iso(now))
        except (ValueError, KeyError, TypeError, AttributeError):
            return Reply((dumps({"errorMessage": "Malformed request", "event": "error"}),), topics)

    def heartbeats(self, topics: Topics, now: int) -> tuple[str, ...]:
        """Beat once anything is subscribed to."""
        if not topics:
            return ()
        version_1 = any(topic.feed.endswith(_V1) for topic in topics)
        return ('{"event":"heartbeat"}' if version_1 else '{"channel":"heartbeat"}',)

    def snapshot_request(self, target: str) -> SnapshotRequest | None:
        """Books do not come by REST."""
        return None


def _feed(channel: str, version: str) -> str:
    """Return ``book/v1`` for ``book``, ``book-10``, and ``book-1000``."""
    return f"{channel.partition('-')[0]}/{version}"


def _fills_v1(rows: list[Json]) -> Iterator[Fill]:
    for row in rows:
        match row:
            case [str() as price, str() as size, str() as time, "b" | "s" as side, *_]:
                yield Fill(None, times.from_seconds_text(time) * MICROSECOND, price, size, _SIDES[side])


def _fills_v2(rows: list[Json]) -> Iterator[Fill]:
    for row in rows:
        match row:
            case {
                "trade_id": int(number),
                "timestamp": str(time),
                "price": price,
                "qty": size,
                "side": "buy" | "sell" as side,
            }:
                yield Fill(number, times.from_iso(time) * MICROSECOND, str(price), str(size), side)


def _pairs(version: str, known: Collection[Topic]) -> set[str]:
    return {topic.symbol for topic in known if topic.feed.endswith(version)}


def _answer_v1(request: dict[str, Any], topics: Topics, known: Collection[Topic]) -> Reply:
    event = request["event"]
    tag = {"reqid": request["reqid"]} if "reqid" in request else {}
    if event == "ping":
        return Reply((dumps({"event": "pong", **tag}),), topics)
    if event not in ("subscribe", "unsubscribe"):
        return Reply((dumps({"errorMessage": "Unsupported event", "event": "error", **tag}),), topics)
    changed, messages = dict(topics), []
    for pair in request["pair"]:
        valid = pair in _pairs(_V1, known)
        if valid:
            _change(
                changed, event, Topic(_feed(request["subscription"]["name"], _V1), pair), _channel_v1(request)
            )
        messages.append(dumps({**_status_v1(request, valid=valid), "pair": pair, **tag}))
    return Reply(tuple(messages), changed)


def _channel_v1(request: dict[str, Any]) -> str:
    subscription = request["subscription"]
    name = str(subscription["name"])
    return f"book-{subscription.get('depth', 10)}" if name == "book" else name


def _status_v1(request: dict[str, Any], *, valid: bool) -> dict[str, Any]:
    status = {"event": "subscriptionStatus", "subscription": request["subscription"]}
    if not valid:
        return {**status, "status": "error", "errorMessage": "Currency pair not supported"}
    return {**status, "status": f"{request['event']}d", "channelID": 0, "channelName": _channel_v1(request)}


def _answer_v2(request: dict[str, Any], topics: Topics, known: Collection[Topic], now: str) -> Reply:
    method = request["method"]
    tag = {"time_in": now, "time_out": now}
    if "req_id" in request:
        tag["req_id"] = request["req_id"]
    if method == "ping":
        return Reply((dumps({"method": "pong", **tag}),), topics)
    if method not in ("subscribe", "unsubscribe"):
        refusal = {"method": method, "success": False, "error": "Method not supported", **tag}
        return Reply((dumps(refusal),), topics)
    changed, params = dict(topics), request["params"]
    opened = params.get("snapshot", params["channel"] != "trade")
    messages = []
    for pair in params["symbol"]:
        valid = pair in _pairs(_V2, known)
        if valid:
            _change(changed, method, Topic(_feed(params["channel"], _V2), pair), params["channel"])
        messages.append(dumps({"method": method, **_status_v2(params, pair, valid=valid), **tag}))
    return Reply(
        tuple(messages), changed, frozenset() if opened else frozenset(changed.keys() - topics.keys())
    )


def _status_v2(params: dict[str, Any], pair: str, *, valid: bool) -> dict[str, Any]:
    if not valid:
        return {"success": False, "symbol": pair, "error": f"Currency pair not supported {pair}"}
    return {"success": True, "result": {**params, "symbol": pair}}


def _change(topics: dict[Topic, str], verb: str, topic: Topic, name: str) -> None:
    if verb == "subscribe":
        topics[topic] = name
    else:
        topics.pop(topic, None)
