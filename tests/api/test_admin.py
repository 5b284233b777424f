"""The operator's routes: who may ask, and what changes."""

from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from api.settings import ApiSettings
from db import audit
from db.connections import connected
from tests.api.peers import Served, serving

pytestmark = pytest.mark.slow

TOKEN = "of the operator"
FEEDS = "/v1/admin/feeds"


@pytest.fixture
async def admin(postgres_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = ApiSettings(port=0, operator_token=SecretStr(TOKEN))
    async with serving(settings, postgres_url, redis_url) as served:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=20) as client:
            yield client


async def add(admin: httpx.AsyncClient, *symbols: str) -> httpx.Response:
    return await admin.post(FEEDS, json={"exchange": "kraken", "symbols": symbols})


def told(response: httpx.Response) -> list[tuple[str, str, str]]:
    assert response.is_success, response.text
    return [
        (each["change"], each["feed"]["symbol"], each["feed"]["state"]) for each in response.json()["data"]
    ]


def problem(response: httpx.Response) -> tuple[int, str]:
    assert "application/problem+json" == response.headers["content-type"]
    return response.status_code, response.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize("verb", ["GET", "POST", "PATCH", "DELETE"])
async def test_without_a_token_of_its_own_the_api_lets_nobody_in(served: Served, verb: str) -> None:
    response = await served.http.request(verb, FEEDS, headers={"Authorization": "Bearer any"})
    assert (503, "not-configured") == problem(response)
    assert "HELIOGRAPH_OPERATOR_TOKEN" in response.json()["detail"]


@pytest.mark.parametrize("verb", ["GET", "POST", "PATCH", "DELETE"])
async def test_who_says_nothing_or_something_wrong_is_not_let_in(admin: httpx.AsyncClient, verb: str) -> None:
    silent = await admin.request(verb, FEEDS, headers={"Authorization": ""})
    assert (401, "unauthenticated") == problem(silent)
    assert "Bearer" == silent.headers["www-authenticate"]
    assert (401, "unauthenticated") == problem(
        await admin.request(verb, FEEDS, headers={"Authorization": f"Basic {TOKEN}"})
    )
    wrong = await admin.request(verb, FEEDS, headers={"Authorization": "Bearer of another"})
    assert (403, "forbidden") == problem(wrong)


async def test_feeds_are_added_paused_resumed_and_removed(admin: httpx.AsyncClient) -> None:
    added = await add(admin, "SOL/USD", "BTC/USD")
    assert 201 == added.status_code
    assert [("added", "SOL/USD", "active"), ("added", "BTC/USD", "active")] == told(added)
    one = {"exchange": "kraken", "symbols": ["SOL/USD"]}
    assert [("paused", "SOL/USD", "paused")] == told(
        await admin.patch(FEEDS, json={**one, "state": "paused"})
    )
    assert [("resumed", "SOL/USD", "active")] == told(
        await admin.patch(FEEDS, json={**one, "state": "active"})
    )
    gone = await admin.delete(FEEDS, params={"exchange": "kraken", "symbol": ["SOL/USD"]})
    assert [("removed", "SOL/USD", "active")] == told(gone)
    (left,) = (await admin.get(FEEDS)).json()["data"]
    assert ("kraken", "BTC/USD", "active", None, None) == (
        left["exchange"],
        left["symbol"],
        left["state"],
        left["process"],
        left["socket"],
    )


async def test_what_cannot_be_is_refused_with_what_is_near(admin: httpx.AsyncClient) -> None:
    refused = await add(admin, "solusd")
    assert (422, "invalid-input") == problem(refused)
    assert "did you mean SOL/USD?" in refused.json()["detail"]
    unknown = await admin.post(FEEDS, json={"exchange": "krakn", "symbols": ["SOL/USD"]})
    assert (422, "invalid-input") == problem(unknown)
    assert "did you mean kraken?" in unknown.json()["detail"]
    assert (422, "invalid-input") == problem(
        await admin.post(FEEDS, json={"exchange": "kraken", "symbols": []})
    )


@pytest.mark.parametrize("address", [{"stream_url": "ws://localhost:99999"}, {"rest_url": "http://[::1"}])
async def test_an_address_that_can_be_none_is_refused(
    admin: httpx.AsyncClient, address: dict[str, str]
) -> None:
    refused = await admin.post(FEEDS, json={"exchange": "kraken", "symbols": ["SOL/USD"], **address})
    assert (422, "invalid-input") == problem(refused)
    assert " is no address " in refused.json()["detail"]
    assert [] == (await admin.get(FEEDS)).json()["data"]


async def test_a_feed_that_is_not_there_is_not_found(admin: httpx.AsyncClient) -> None:
    await add(admin, "SOL/USD")
    missing = await admin.delete(FEEDS, params={"exchange": "kraken", "symbol": "SOL/USDT"})
    assert (404, "unknown-feed") == problem(missing)
    assert "did you mean kraken:SOL/USD?" in missing.json()["detail"]


async def test_new_feeds_are_refused_while_no_ingester_has_room(
    admin: httpx.AsyncClient, postgres_url: str
) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute(
            "INSERT INTO processes VALUES ('one', 'ingest', 'here', 1, clock_timestamp(), clock_timestamp(),"
            """ NULL, '{"writer": {"saturated": true}}')"""
        )
    refused = await add(admin, "SOL/USD")
    assert (503, "saturated") == problem(refused)
    assert "1" == refused.headers["retry-after"]


async def test_a_protocol_that_a_venue_does_not_have_is_the_askers_mistake(admin: httpx.AsyncClient) -> None:
    asked = {"exchange": "kraken", "symbols": ["SOL/USD"], "protocol": "morse"}
    refused = await admin.post(FEEDS, json=asked)
    assert (422, "invalid-input") == problem(refused)
    assert ["protocol"] == [fault["where"] for fault in refused.json()["errors"]]


async def test_a_method_that_is_not_there_is_answered_with_all_that_are(admin: httpx.AsyncClient) -> None:
    refused = await admin.put(FEEDS)
    assert (405, "DELETE, GET, HEAD, PATCH, POST") == (refused.status_code, refused.headers["allow"])


async def test_who_changed_what_is_written_down(admin: httpx.AsyncClient, postgres_url: str) -> None:
    assert (await add(admin, "SOL/USD")).is_success
    async with connected(postgres_url, "test") as connection:
        [entry] = await audit.entries(connection, None, 9)
    assert ("operator at 127.0.0.1 by API", "feeds", "insert") == (entry.actor, entry.noun, entry.change)
