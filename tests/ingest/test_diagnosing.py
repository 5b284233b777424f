"""What keeps us from a venue is told by its name: small servers that refuse, and addresses that are none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from ingest.connecting import opened
from ingest.diagnosing import proxy_for, refusal_of
from market.errors import FeedError, GeoBlockedError, ProxyError, UnresolvedNameError

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "WSS_PROXY", "ALL_PROXY", "NO_PROXY", "SOCKS_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@asynccontextmanager
async def answering(status: str, body: str = "") -> AsyncIterator[int]:
    """A server that answers everything with one status, as a block page or a proxy does."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(f"{head}{body}".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def refused(url: str) -> FeedError:
    with pytest.raises(FeedError) as error:
        async with opened(url):
            pass
    return error.value


@pytest.mark.parametrize("status", ["451 Unavailable For Legal Reasons", "403 Forbidden"])
async def test_a_geo_block_is_told_with_what_was_said(status: str) -> None:
    async with answering(status, "restricted location") as port:
        error = await refused(f"ws://127.0.0.1:{port}/stream")
    assert type(error) is GeoBlockedError
    assert f"HTTP {status[:3]} (restricted location)" in str(error)
    assert not error.retryable


@pytest.mark.parametrize("address", ["localhost:abc", "localhost:99999", "[::1", "a..b"])
async def test_an_address_that_can_be_none_is_told_as_such(address: str) -> None:
    error = await refused(f"ws://{address}/stream")
    assert type(error) is FeedError
    assert f"ws://{address}/stream cannot be read" in str(error)


async def test_any_other_answer_is_told_as_it_is() -> None:
    async with answering("503 Service Unavailable", "later") as port:
        error = await refused(f"ws://127.0.0.1:{port}/stream")
    assert type(error) is FeedError
    assert "HTTP 503 (later)" in str(error)


@pytest.mark.slow
async def test_a_name_without_an_address_is_told_as_such() -> None:
    error = await refused("wss://venue.invalid/stream")
    assert type(error) is UnresolvedNameError
    assert str(error).startswith("venue.invalid has no address here")


@pytest.mark.slow
async def test_a_name_without_an_address_is_told_for_rest_too() -> None:
    url = "https://venue.invalid/api/v3/depth"
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.HTTPError) as failed:
            await http.get(url)
    assert type(refusal_of(url, failed.value)) is UnresolvedNameError


async def test_nobody_at_the_address_is_told_as_such() -> None:
    error = await refused("ws://127.0.0.1:1/stream")
    assert type(error) is FeedError
    assert "ws://127.0.0.1:1/stream cannot be read" in str(error)


async def test_a_proxy_that_wants_to_know_us_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with answering("407 Proxy Authentication Required") as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2@127.0.0.1:{port}")
        error = await refused("wss://venue.invalid/stream")
    assert type(error) is ProxyError
    assert f"the proxy 127.0.0.1:{port} does not let us through to venue.invalid" in str(error)
    assert "407" in str(error)
    assert "hunter2" not in str(error)


async def test_a_proxy_that_is_not_there_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    error = await refused("wss://venue.invalid/stream")
    assert type(error) is ProxyError
    assert "the proxy 127.0.0.1:1" in str(error)


async def test_no_proxy_stands_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert "127.0.0.1:1" == proxy_for("wss://ws.kraken.com/v2")
    assert proxy_for("ws://127.0.0.1:8/stream") is None
    async with answering("451 Unavailable For Legal Reasons") as port:
        assert type(await refused(f"ws://127.0.0.1:{port}/")) is GeoBlockedError
    monkeypatch.setenv("NO_PROXY", "ws.kraken.com")
    assert proxy_for("wss://ws.kraken.com/v2") is None
