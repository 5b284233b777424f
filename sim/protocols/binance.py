"""Binance spot and USD-M, combined streams.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

# ruff: noqa: ARG002 - what one venue needs to answer, another does not

import json
from collections.abc import Collection, Sequence
from urllib.parse import parse_qs, urlsplit

from market.errors import InvalidInputError
from market.instruments import Market
from sim.ledger import Fill
from sim.protocols.protocol import Json, Reply, SnapshotRequest, Topic, Topics, dumps
from sim.symbols import from_binance

_DEPTH_PATHS = ("/api/v1/depth", "/api/v3/depth", "/fapi/v1/depth")
_DEFAULT_LIMIT = 500
_MILLISECOND = 1_000_000
"""In nanoseconds."""

_METHODS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`"


class Binance:
    """``{"stream":"btcusdt@trade","data":{..}}``; books start from a REST snapshot."""

    name = "binance"

    def topic(self, message: Json) -> Topic | None:
        """Return the stream, without the speed that was recorded."""
        match message:
            case {"stream": str() as stream, "data": dict()}:
                return _topic_of(stream)
        return None

    def market(self, message: Json) -> Market:
        """Tell USD-M by what only its messages have; COIN-M, whose contracts are inverse, is refused."""
        data = message["data"]
        if "ps" in data:
            message = f"{data.get('s')} is of COIN-M, which is not simulated; give a file of spot or USD-M"
            raise InvalidInputError(message)
        swap = "pu" in data or "X" in data or data.get("e") == "bookTicker"
        return Market.SWAP if swap else Market.SPOT

    def fills(self, message: Json) -> Sequence[Fill]:
        """Read a trade; its maker is the buyer or the seller."""
        match message["data"]:
            case {"e": "trade", "t": int(number), "T": int(at), "p": price, "q": size, "m": bool(sold)}:
                return (Fill(number, at * _MILLISECOND, price, size, "sell" if sold else "buy"),)
        return ()

    def is_snapshot(self, message: Json) -> bool:
        """Tell the REST answer that recorders write between the frames."""
        return isinstance(message, dict) and "lastUpdateId" in message

    def word(self, symbol: str, market: Market) -> str:
        """Return BTC/USDT, or BTC/USDT:USDT for the swap."""
        word = from_binance(symbol.upper())
        return f"{word}:{word.partition('/')[2]}" if market is Market.SWAP else word

    def version(self, known: Collection[Topic]) -> str | None:
        """There is only one."""
        return None

    def topics_of(self, target: str) -> Topics | None:
        """Subscribe to ``/stream?streams=a/b``."""
        address = urlsplit(target)
        if not address.path.endswith("/stream"):
            return None
        streams = "/".join(parse_qs(address.query).get("streams", []))
        return {_topic_of(stream): stream for stream in streams.split("/") if stream}

    def greetings(self, target: str) -> tuple[str, ...]:
        """Say nothing."""
        return ()

    def answer(self, text: str, topics: Topics, known: Collection[Topic], now: int) -> Reply:
        """Acknowledge; a stream that does not exist is acknowledged too, and stays silent."""
        try:
            request = json.loads(text)
            method, identity = request["method"], request.get("id")
            asked = {_topic_of(stream): stream for stream in request.get("params", ())}
        except (ValueError, KeyError, TypeError, AttributeError):
            return Reply((dumps({"code": 3, "msg": "Invalid JSON: expected a request"}),), topics)
        return _reply(method, identity, topics, asked)

    def heartbeats(self, topics: Topics, now: int) -> tuple[str, ...]:
        """Leave it to the pings of WebSocket."""
        return ()

    def snapshot_request(self, target: str) -> SnapshotRequest | None:
        """Read ``/api/v3/depth?symbol=BTCUSDT&limit=1000``."""
        address = urlsplit(target)
        if address.path not in _DEPTH_PATHS:
            return None
        query = dict(pair.partition("=")[::2] for pair in address.query.split("&"))
        limit = query.get("limit", "")
        return SnapshotRequest(query.get("symbol", ""), int(limit) if limit.isdecimal() else _DEFAULT_LIMIT)


def _topic_of(stream: str) -> Topic:
    """Return ``depth`` of ``btcusdt`` for ``btcusdt@depth``, ``@depth@100ms``, and ``@depth@0ms``."""
    symbol, _, feed = stream.partition("@")
    return Topic("depth" if feed.startswith("depth@") else feed, symbol.upper())


def _reply(method: str, identity: object, topics: Topics, asked: Topics) -> Reply:
    result: list[str] | None = None
    if method == "SUBSCRIBE":
        topics = {**topics, **asked}
    elif method == "UNSUBSCRIBE":
        topics = {topic: name for topic, name in topics.items() if topic not in asked}
    elif method == "LIST_SUBSCRIPTIONS":
        result = list(topics.values())
    else:
        refusal = f"Invalid request: unknown variant `{method}`, expected one of {_METHODS}"
        return Reply((dumps({"code": 2, "msg": refusal, "id": identity}),), topics)
    return Reply((dumps({"result": result, "id": identity}),), topics)
