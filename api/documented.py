"""An example or more of every frame of the stream, as /asyncapi.json shows them."""

from collections.abc import Mapping
from typing import Any, Final

_SIGNALS: Final = "signals:kraken:SOL/USD"
_BARS: Final = "bars:kraken:SOL/USD"
_NAME: Final = {"exchange": "kraken", "symbol": "SOL/USD"}
_T: Final = "2026-11-21T10:00:00.000000Z"
_BEFORE: Final = "2026-11-21T09:59:00.000000Z"

_SIGNAL: Final = {
    **_NAME,
    "id": "kraken:SOL~USD:rsi:1:1795255200000000",
    "kind": "rsi",
    "version": 1,
    "ts": _T,
    "direction": "up",
    "strength": 0.42,
    "confidence": 1.0,
    "price": 241.07,
    "evidence": {"rsi": 71.5},
    "from_ts": _BEFORE,
    "to_ts": _T,
    "first": {"ts": _BEFORE, "id": "7001"},
    "last": {"ts": _T, "id": "7420"},
    "parameters": {"bars": 14},
    "parameters_version": 0,
    "code_version": "0.1.0",
    "warm": True,
    "coverage": 1.0,
    "received_at": _T,
    "committed_at": _T,
    "latency_ms": {
        "venue_to_received": 4.5,
        "received_to_committed": 3.1,
        "committed_to_claimed": 2.0,
        "claimed_to_computed": 1.0,
    },
}
_BAR: Final = {
    **_NAME,
    "interval": "1m",
    "start": _BEFORE,
    "open": 240.9,
    "high": 241.2,
    "low": 240.85,
    "close": 241.07,
    "volume": 812.4,
    "quote_volume": 195789.2,
    "buy_volume": 500.0,
    "sell_volume": 312.4,
    "trades": 420,
    "final": True,
    "coverage": 1.0,
    "source": "live",
}
_GAP: Final = {
    **_NAME,
    "gap_id": 7,
    "kind": "trades",
    "cause": "reconnect",
    "state": "healing",
    "from_ts": _BEFORE,
    "to_ts": _T,
    "after_id": "7001",
    "before_id": None,
    "opened_at": _T,
    "closed_at": None,
    "detail": "",
}
_QUOTE: Final = {
    **_NAME,
    "ts": _T,
    "bid_price": 241.07,
    "bid_size": 12.5,
    "ask_price": 241.08,
    "ask_size": None,
    "received_at": _T,
}
_TRADE: Final = {
    **_NAME,
    "ts": _T,
    "trade_id": "7420",
    "price": 241.07,
    "size": 1.5,
    "side": "buy",
    "received_at": _T,
}
_DEPTH: Final = {
    **_NAME,
    "ts": _T,
    "update_id": "99812",
    "bids": [[241.07, 12.5], [241.06, 3.0]],
    "asks": [[241.08, 3.0]],
    "received_at": _T,
}

EXAMPLES: Final[Mapping[str, list[dict[str, Any]]]] = {
    "subscribe": [
        {
            "op": "subscribe",
            "id": 1,
            "epoch": "k3",
            "channels": [
                {"channel": _SIGNALS, "after": 41, "policy": "lossless"},
                {"channel": "bars:coinbase:*", "after": {"bars:coinbase:BTC/USD": 1207}},
                {"channel": "signals:coinbase:*", "since": "2026-11-21T10:00:00Z"},
                {"channel": "quotes:kraken:*", "policy": "latest", "max_rate_ms": 250},
            ],
        }
    ],
    "unsubscribe": [{"op": "unsubscribe", "id": 2, "channels": ["quotes:kraken:*"]}],
    "subscribed": [
        {
            "op": "subscribed",
            "id": 1,
            "epoch": "k3",
            "results": [
                {"channel": _SIGNALS, "offset": 57, "recovered": True},
                {
                    "channel": "bars:coinbase:*",
                    "offsets": {"bars:coinbase:BTC/USD": 1300},
                    "recovered": False,
                    "missing": {"bars:coinbase:BTC/USD": [1208, 1300]},
                },
                {"channel": "quotes:kraken:*"},
            ],
        }
    ],
    "unsubscribed": [{"op": "unsubscribed", "id": 2, "channels": ["quotes:kraken:*"]}],
    "caught_up": [{"op": "caught_up", "channel": _SIGNALS, "offset": 57}],
    "heartbeat": [{"op": "heartbeat", "ts": _T, "offsets": {_SIGNALS: 57}}],
    "error": [{"op": "error", "id": 2, "code": 1008, "fatal": False, "message": "..."}],
    "signal": [{"op": "signal", "channel": _SIGNALS, "offset": 42, "data": _SIGNAL}],
    "bar": [
        {"op": "bar", "channel": _BARS, "offset": 1208, "data": _BAR},
        {"op": "bar", "channel": _BARS, "conflated": 3, "data": {**_BAR, "final": False}},
    ],
    "correction": [
        {"op": "correction", "channel": _BARS, "offset": 1209, "revises": 1208, "data": _BAR},
        {"op": "correction", "channel": _SIGNALS, "offset": 58, "revises": 31, "data": None},
    ],
    "quote": [{"op": "quote", "channel": "quotes:kraken:SOL/USD", "conflated": 12, "data": _QUOTE}],
    "trade": [{"op": "trade", "channel": "trades:kraken:SOL/USD", "conflated": 5, "data": _TRADE}],
    "depth": [{"op": "depth", "channel": "depth:kraken:SOL/USD", "conflated": 4, "data": _DEPTH}],
    "gap": [{"op": "gap", "channel": "coverage:kraken:SOL/USD", "conflated": 1, "data": _GAP}],
}
