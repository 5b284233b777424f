import pytest

from db.feeds import WantedFeed
from ingest.routes import Route, rebased
from ingest.venues.registry import NAMES, venue
from market.errors import InvalidInputError


def feed(exchange: str, symbol: str, **settings: str) -> WantedFeed:
    return WantedFeed(exchange=exchange, symbol=symbol, **settings)


def test_symbols_of_one_venue_and_market_share_a_route() -> None:
    spot, other = Route.of(feed("binance", "BTC/USDT")), Route.of(feed("binance", "ETH/USDT"))
    swap, kraken = Route.of(feed("binance", "BTC/USDT:USDT")), Route.of(feed("kraken", "SOL/USD"))
    assert spot == other
    assert ["wss://stream.binance.com:9443/stream", "wss://fstream.binance.com/public/stream"] == [
        spot.stream_url,
        swap.stream_url,
    ]
    assert "wss://ws.kraken.com/v2" == kraken.stream_url
    assert "wss://ws.kraken.com" == Route.of(feed("kraken", "SOL/USD", protocol="v1")).stream_url


def test_a_venue_under_another_address_has_a_route_of_its_own() -> None:
    simulated = feed("binance", "ETH/USDT", stream_url="ws://127.0.0.1:5", rest_url="http://127.0.0.1:5")
    live, other = Route.of(feed("binance", "BTC/USDT")), Route.of(simulated)
    assert ("wss://stream.binance.com:9443/stream", "ws://127.0.0.1:5/stream") == (
        live.stream_url,
        other.stream_url,
    )
    expected = "http://127.0.0.1:5/api/v3/depth?symbol=ETHUSDT&limit="
    url = other.snapshot_url(other.venue.instrument("ETH/USDT"))
    assert url is not None
    assert url.startswith(expected)


def test_what_no_venue_can_have_has_no_route() -> None:
    with pytest.raises(InvalidInputError):
        Route.of(feed("kraken", "SOLUSD"))


@pytest.mark.parametrize("name", NAMES)
def test_every_venue_says_where_its_protocol_is_documented(name: str) -> None:
    adapter = venue(name)
    assert name == adapter.name
    assert adapter.docs.startswith("https://")
    instrument = adapter.instrument("BTC/USD")
    fetched = adapter.snapshot_url(instrument) is not None
    assert fetched is not bool(adapter.renewal(instrument))


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("wss://a:1/stream", None, "wss://a:1/stream"),
        ("wss://a:1/stream", "ws://127.0.0.1:8", "ws://127.0.0.1:8/stream"),
        ("https://a/api/v3/depth?symbol=B", "http://b:9", "http://b:9/api/v3/depth?symbol=B"),
    ],
)
def test_an_override_replaces_scheme_host_and_port_alone(url: str, base: str | None, expected: str) -> None:
    assert expected == rebased(url, base)
