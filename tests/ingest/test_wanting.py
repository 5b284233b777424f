import json

import pytest

from db.feeds import WantedFeed
from ingest.settings import FeedSettings, IngestSettings
from ingest.wanting import wanted
from market.errors import ConfigurationError


def feed(venue: str, *symbols: str, **settings: str) -> FeedSettings:
    return FeedSettings.model_validate({"venue": venue, "symbols": symbols, **settings})


def test_every_symbol_is_a_feed() -> None:
    named = feed("kraken", "SOL/USD", "BTC/USD", "SOL/USD", protocol="v1", stream_url="ws://a")
    assert [
        WantedFeed(exchange="kraken", symbol=symbol, protocol="v1", stream_url="ws://a")
        for symbol in ("SOL/USD", "BTC/USD")
    ] == wanted([named])
    assert [] == wanted([])


def test_a_symbol_named_in_two_feeds_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="kraken:SOL/USD is named more than once"):
        wanted([feed("kraken", "SOL/USD"), feed("kraken", "SOL/USD", protocol="v1")])


def test_an_address_that_can_be_none_is_refused() -> None:
    with pytest.raises(ValueError, match="stream_url 'ws://localhost:abc' is no address"):
        feed("kraken", "SOL/USD", stream_url="ws://localhost:abc")


def test_feeds_are_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [
        {"venue": "kraken", "symbols": ["SOL/USD"], "protocol": "v1", "stream_url": None, "rest_url": None}
    ]
    monkeypatch.setenv("HELIOGRAPH_INGEST_FEEDS", json.dumps(told))
    assert (feed("kraken", "SOL/USD", protocol="v1"),) == IngestSettings().feeds
