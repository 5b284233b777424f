"""Asking real servers, in turn, within budgets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from starlette.requests import Request as Asked
from starlette.responses import Response, StreamingResponse

from bus.budgets import opened
from ingest.outbound.breaker import FAILURES, State
from ingest.outbound.budgets import Budgets, Lane
from ingest.outbound.outbound import Call, Outbound
from ingest.venues.history import Request
from ingest.venues.reach import Limit, Reach
from market.errors import RateLimitedError, VenueRefusedError, VenueUnavailableError
from tests.ingest.freely import freely
from tests.ingest.servers import Server, scripted, serving

LIMIT = Limit("venue", 1000, 1000)
GOOD, BROKEN = Response("page"), Response("down", 503)


@pytest.fixture
async def outbound(redis_url: str) -> AsyncIterator[Outbound]:
    async def alone() -> int:
        return 1

    clock = Time()
    async with opened(redis_url) as shared, httpx.AsyncClient() as http:
        yield Outbound(http, Budgets(shared, alone, clock), clock=clock)


class Time:
    def __call__(self) -> float:
        return 1000.0


def call(*servers: Server, limit: Limit = LIMIT, base: str | None = None) -> Call:
    reach = Reach(hosts=tuple(server.url for server in servers), requests=limit, connections=limit)
    return Call(reach=reach, request=Request("/trades?x=1", 5, {"X-Key": "k"}), lane=Lane.LIVE, base=base)


async def test_it_asks_with_path_query_and_headers(outbound: Outbound) -> None:
    async with scripted(GOOD) as server:
        assert b"page" == await outbound.get(call(server))
        (asked,) = server.asked
    assert ("/trades", "x=1", "k") == (asked.url.path, asked.url.query, asked.headers["x-key"])


async def test_a_host_that_fails_gives_its_turn_to_the_next_which_keeps_it(outbound: Outbound) -> None:
    async with scripted(BROKEN) as one, scripted(GOOD) as other:
        assert [b"page"] * 3 == [await outbound.get(call(one, other)) for _ in range(3)]
        assert (1, 3) == (len(one.asked), len(other.asked))


async def test_a_host_that_is_not_there_counts_as_failed(outbound: Outbound) -> None:
    async with scripted(GOOD) as gone:
        pass
    async with scripted(GOOD) as server:
        assert b"page" == await outbound.get(call(gone, server))


@pytest.mark.slow
async def test_a_host_that_fails_again_and_again_is_left_alone(outbound: Outbound) -> None:
    async with scripted(BROKEN) as server:
        with pytest.raises(VenueUnavailableError, match="503"):
            await outbound.get(call(server))
        with pytest.raises(VenueUnavailableError, match="left alone for another 5 s"):
            await outbound.get(call(server))
        assert FAILURES == len(server.asked)
        assert {State.OPEN} == set(outbound.counters()["hosts"].values())  # type: ignore[attr-defined]


async def test_who_is_asked_too_often_is_asked_no_more_until_it_says(outbound: Outbound) -> None:
    limited = Response("slow down", 429, {"Retry-After": "3600"})
    async with scripted(limited, GOOD) as server:
        with pytest.raises(RateLimitedError, match="slow down") as caught:
            await outbound.get(call(server))
        assert 3600 == caught.value.retry_after_seconds
        with pytest.raises(RateLimitedError, match="the budget of venue is used up"):
            await outbound.get(call(server))
        assert 1 == len(server.asked)
        expected = {"requests": 1, "limited": 1, "failed": 0}
        assert {"venue": expected} == outbound.counters()["venues"]


@pytest.mark.parametrize(
    "base", ["http://localhost:abc", "http://[::1", "http://a..b", "nonsense", "http://a b"]
)
async def test_a_place_that_can_be_none_is_a_refusal(outbound: Outbound, base: str) -> None:
    with pytest.raises(VenueRefusedError, match="cannot be asked"):
        await outbound.get(call(base=base))


async def test_a_request_that_is_refused_is_not_sent_again(outbound: Outbound) -> None:
    async with scripted(Response("Invalid symbol", 400)) as server:
        with pytest.raises(VenueRefusedError, match="Invalid symbol"):
            await outbound.get(call(server))
        assert 1 == len(server.asked)


@pytest.mark.slow
async def test_what_stands_in_for_a_venue_has_a_budget_of_its_own(outbound: Outbound) -> None:
    tight = Limit("tight", 5, 1 / 3600)
    async with AsyncExitStack() as open_servers:
        real, stand_in = [await open_servers.enter_async_context(scripted(GOOD)) for _ in range(2)]
        await outbound.get(call(real, limit=tight))
        await outbound.get(call(real, limit=tight, base=stand_in.url))
        with pytest.raises(RateLimitedError, match="tight"):
            await outbound.get(call(real, limit=tight))
        assert (1, 1) == (len(real.asked), len(stand_in.asked))


async def test_connecting_is_within_its_budget_and_not_while_the_host_fails(outbound: Outbound) -> None:
    scarce = Limit("scarce", 5, 1 / 3600)
    for _ in range(FAILURES):
        breaker = await outbound.connecting("wss://venue.example/ws", scarce)
        breaker.failed()
    with pytest.raises(VenueUnavailableError, match=r"venue\.example failed too often"):
        await outbound.connecting("wss://venue.example/ws", scarce)
    with pytest.raises(RateLimitedError, match="scarce"):
        await outbound.connecting("wss://other.example/ws", scarce)


@pytest.mark.slow
async def test_an_answer_without_end_is_none() -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0)

    async def respond(_request: Asked) -> Response:
        return StreamingResponse(dripping())

    async with serving(respond) as server, httpx.AsyncClient() as http:
        slow, large = freely(http, whole_within_seconds=0.05), freely(http, body_bytes=100)
        for outbound, said in ((slow, "no whole answer"), (large, "longer than 100 bytes")):
            with pytest.raises(VenueUnavailableError, match=said):
                await outbound.once(call(server))
