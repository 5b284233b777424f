"""Limits as a client meets them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from api.settings import ApiSettings
from tests.api.peers import FAR_AWAY, Served, serving, subscriber

Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def serve(postgres_url: str, redis_url: str) -> Serve:
    def start(redis: str = redis_url, **settings: Any) -> AbstractAsyncContextManager[Served]:
        return serving(ApiSettings(port=0, **settings), postgres_url, redis)

    return start


@pytest.fixture
async def open_sockets() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def refusal(served: Served, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the problem with which a socket is refused, and its headers."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(served.url.replace("http", "ws", 1) + "/v1/stream", additional_headers=headers)
    response = refused.value.response
    assert "application/problem+json" == response.headers["content-type"]
    return {**dict(response.headers.raw_items()), "status": response.status_code, "body": response.body}


@pytest.mark.parametrize("redis", [None, FAR_AWAY])
async def test_who_asks_too_often_is_told_when_to_come_back(serve: Serve, redis: str | None) -> None:
    asked = {"redis": redis} if redis else {}
    async with serve(requests_per_second=0.02, requests_at_once=3, **asked) as served:
        answers = [await served.http.get("/health/live") for _ in range(4)]
        assert [200, 200, 200, 429] == [answer.status_code for answer in answers]
        assert ['"requests";q=3;w=150'] * 4 == [answer.headers["ratelimit-policy"] for answer in answers]
        assert ["r=2", "r=1", "r=0", "r=0"] == [
            answer.headers["ratelimit"].split(";")[1] for answer in answers
        ]
        assert (2401, True) == (answers[3].json()["code"], 40 <= int(answers[3].headers["retry-after"]) <= 50)


@pytest.mark.slow
async def test_two_processes_count_together(serve: Serve) -> None:
    limits = {"requests_per_second": 0.001, "requests_at_once": 4}
    async with serve(**limits) as one, serve(**limits) as other:
        statuses = [(await served.http.get("/health/live")).status_code for served in (one, other) * 3]
    assert [200, 200, 200, 200, 429, 429] == statuses


async def test_a_socket_too_many_is_refused_before_it_is_opened(
    serve: Serve, open_sockets: AsyncExitStack
) -> None:
    async with serve(connections_per_second=0.02, connections_at_once=2) as served:
        for _ in range(2):
            await open_sockets.enter_async_context(served.stream())
        refused = await refusal(served)
        assert (429, True, "Retry-After" in refused or "retry-after" in refused) == (
            refused["status"],
            b'"code":2402' in refused["body"],
            True,
        )
        await open_sockets.aclose()


async def test_only_so_many_sockets_are_open_at_once(serve: Serve, open_sockets: AsyncExitStack) -> None:
    async with serve(subscribers_per_address=1) as served:
        async with served.stream() as peer:
            assert 429 == (await refusal(served))["status"]
            assert "subscribed" == (await peer.subscribe())["op"]
        while True:  # the server hears of the end a moment later
            try:
                await open_sockets.enter_async_context(served.stream())
                break
            except InvalidStatus:
                continue
        await open_sockets.aclose()


async def test_behind_a_proxy_each_client_has_its_own_limits(serve: Serve) -> None:
    async with serve(requests_per_second=0.001, requests_at_once=1, proxy_headers=True) as served:
        clients = ("203.0.113.1", "203.0.113.2", "203.0.113.1")
        answers = [
            await served.http.get("/health/live", headers={"X-Forwarded-For": client}) for client in clients
        ]
    assert [200, 200, 429] == [answer.status_code for answer in answers]


@pytest.mark.parametrize("settings", [{}, {"proxy_headers": True, "proxies": ("192.0.2.9",)}])
async def test_nobody_but_a_proxy_says_who_asks(serve: Serve, settings: dict[str, Any]) -> None:
    async with serve(requests_per_second=0.001, requests_at_once=1, **settings) as served:
        answers = [
            await served.http.get("/health/live", headers={"X-Forwarded-For": f"203.0.113.{n}"})
            for n in (1, 2)
        ]
    assert [200, 429] == [answer.status_code for answer in answers]


@pytest.mark.parametrize("origin", ["{own}", "https://charts.example", "https://CHARTS.example"])
async def test_a_socket_is_opened_for_our_own_pages_and_for_those_listed(serve: Serve, origin: str) -> None:
    async with serve(origins=("https://charts.example",)) as served:
        headers = {"Origin": origin.format(own=served.url)}
        async with served.stream(additional_headers=headers) as peer:
            assert "subscribed" == (await peer.subscribe())["op"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1:1",
        "null",
        "http://[::1",
        "",
    ],
)
async def test_a_socket_of_a_foreign_page_is_refused(serve: Serve, origin: str) -> None:
    async with serve(origins=("https://charts.example",)) as served:
        refused = await refusal(served, {"Origin": origin})
        assert (403, True) == (refused["status"], b'"code":2204' in refused["body"])


@pytest.mark.slow
async def test_a_name_that_leads_here_is_not_our_own_unless_it_is_listed(serve: Serve) -> None:
    async def opened(served: Served) -> None:
        port = int(served.url.rpartition(":")[2])
        async with subscriber(
            "ws://rebound.example/v1/stream", host="127.0.0.1", port=port, origin="http://rebound.example"
        ) as peer:
            assert "subscribed" == (await peer.subscribe())["op"]

    async with serve() as served:
        with pytest.raises(InvalidStatus, match="403"):
            await opened(served)
    async with serve(origins=("http://rebound.example",)) as served:
        await opened(served)
