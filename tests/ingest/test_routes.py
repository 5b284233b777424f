import json

import pytest

from ingest.routes import routes
from ingest.settings import FeedSettings, IngestSettings
from ingest.venues.registry import NAMES, venue
from market.errors import ConfigurationError, InvalidInputError, UnknownVenueError


def feed(venue_name: str, *symbols: str, **settings: str) -> FeedSettings:
    return FeedSettings.model_validate({"venue": venue_name, "symbols": symbols, **settings})


def test_symbols_of_one_venue_and_market_share_a_connection() -> None:
    found = routes(
        [feed("binance", "BTC/USDT", "BTC/USDT:USDT"), feed("binance", "ETH/USDT"), feed("kraken", "SOL/USD")]
    )
    expected = [
        ("wss://stream.binance.com:9443/stream", ["binance:BTC/USDT", "binance:ETH/USDT"]),
        ("wss://fstream.binance.com/public/stream", ["binance:BTC/USDT:USDT"]),
        ("wss://ws.kraken.com/v2", ["kraken:SOL/USD"]),
    ]
    assert expected == [(route.stream_url, [each.key for each in route.instruments]) for route in found]


def test_a_venue_under_another_address_has_a_connection_of_its_own() -> None:
    simulated = feed("binance", "ETH/USDT", stream_url="ws://127.0.0.1:5", rest_url="http://127.0.0.1:5")
    live, other = routes([feed("binance", "BTC/USDT"), simulated])
    assert ("wss://stream.binance.com:9443/stream", "ws://127.0.0.1:5/stream") == (
        live.stream_url,
        other.stream_url,
    )
    expected = {"ETHUSDT": "http://127.0.0.1:5/api/v3/depth?symbol=ETHUSDT&limit=1000"}
    assert expected == other.snapshot_urls


def test_a_symbol_named_twice_in_one_feed_is_one_and_in_two_feeds_is_refused() -> None:
    (route,) = routes([feed("kraken", "SOL/USD", "SOL/USD")])
    assert len(route.instruments) == 1
    with pytest.raises(ConfigurationError, match="kraken:SOL/USD is named more than once"):
        routes([feed("kraken", "SOL/USD"), feed("kraken", "SOL/USD", protocol="v1")])


def test_no_feeds_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="HELIOGRAPH_INGEST_FEEDS"):
        routes([])


def test_an_unknown_venue_or_protocol_is_named_with_what_there_is() -> None:
    with pytest.raises(UnknownVenueError, match="binance, coinbase, kraken"):
        routes([feed("mtgox", "BTC/USD")])
    with pytest.raises(ConfigurationError, match="'v1'"):
        routes([feed("coinbase", "BTC/USD", protocol="v1")])
    with pytest.raises(InvalidInputError, match="SOLUSD"):
        routes([feed("kraken", "SOLUSD")])


@pytest.mark.parametrize("name", NAMES)
def test_every_venue_says_where_its_protocol_is_documented(name: str) -> None:
    adapter = venue(name)
    assert name == adapter.name
    assert adapter.docs.startswith("https://")
    instrument = adapter.instrument("BTC/USD")
    fetched = adapter.snapshot_url(instrument) is not None
    assert fetched is not bool(adapter.renewal(instrument))


def test_feeds_are_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [
        {"venue": "kraken", "symbols": ["SOL/USD"], "protocol": "v1", "stream_url": None, "rest_url": None}
    ]
    monkeypatch.setenv("HELIOGRAPH_INGEST_FEEDS", json.dumps(told))
    assert (feed("kraken", "SOL/USD", protocol="v1"),) == IngestSettings().feeds
