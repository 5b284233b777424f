import pytest

from market.addresses import demand_addresses
from market.errors import InvalidInputError


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:8", "wss://example.org", "ws://[::1]:9", "wss://user:word@a-b.example.org:1/x"]
)
def test_what_can_be_reached_is_an_address(url: str) -> None:
    demand_addresses(url, url.replace("ws", "http", 1))
    demand_addresses(None, None)


@pytest.mark.parametrize(
    "rest",
    [
        "://localhost:abc",
        "://localhost:99999",
        "://localhost:0",
        "://[::1",
        "://",
        "://a..b",
        "://a b",
        "://a\u2100b",
        f"://{'a' * 64}",
        "ftp://a",
        "nonsense",
        "",
    ],
)
def test_what_nobody_can_be_reached_at_is_none(rest: str) -> None:
    with pytest.raises(InvalidInputError, match="stream_url") as caught:
        demand_addresses(f"ws{rest}", None)
    assert "stream_url" == caught.value.where
    with pytest.raises(InvalidInputError, match="rest_url"):
        demand_addresses(None, f"http{rest}")


def test_a_socket_is_no_rest() -> None:
    with pytest.raises(InvalidInputError, match="does not begin with http:// or https://"):
        demand_addresses(None, "ws://example.org")
