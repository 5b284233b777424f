"""What an ingester is told to listen to, as the command line says it."""

import json
from collections.abc import Iterable
from typing import Any

from market.errors import InvalidInputError

Feed = dict[str, Any]
"""One entry of ``HELIOGRAPH_INGEST_FEEDS``."""


def parse(option: str) -> Feed:
    """Return the feed of ``--venue kraken:SOL/USD,BTC/USD``; a swap's symbol has a colon of its own."""
    venue, _, symbols = option.partition(":")
    listed = [symbol.strip() for symbol in symbols.split(",") if symbol.strip()]
    if not venue or not listed:
        message = f"--venue {option!r} is not VENUE:SYMBOL,SYMBOL, like kraken:SOL/USD,BTC/USD"
        raise InvalidInputError(message)
    return {"venue": venue, "symbols": listed}


def simulated(status: dict[str, Any], stream_url: str, rest_url: str) -> Feed:
    """Return the feed of a simulated venue that told its ``status``."""
    feed = {
        "venue": status["venue"],
        "symbols": status["symbols"],
        "stream_url": stream_url,
        "rest_url": rest_url,
    }
    if status.get("protocol"):
        feed["protocol"] = status["protocol"]
    return feed


def environment(feeds: Iterable[Feed]) -> dict[str, str]:
    """Return the variable that tells an ingester its feeds."""
    return {"HELIOGRAPH_INGEST_FEEDS": json.dumps(list(feeds))}
