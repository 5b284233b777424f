"""A hole in the tape is seen by subscribers as it opens and heals, and no bar claims more than is proven."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from heliograph.roles import INGEST_HISTORY, WORKER_BACKFILL, WORKER_LIVE
from tests.acceptance.house import House
from tests.acceptance.processes import Venue
from tests.api.peers import Peer, subscriber

pytestmark = pytest.mark.slow

FEED = {"exchange": "binance", "symbol": "BTC/USDT"}
COVERAGE = "coverage:binance:BTC/USDT"
BARS = "bars:binance:BTC/USDT"
MARKET = ("binance", "--generate", "--symbols", "BTC/USDT", "--rate", "200")


@asynccontextmanager
async def listening(house: House, url: str) -> AsyncIterator[tuple[Venue, Peer]]:
    """A market that is ingested, folded, and healed, and who follows its bars and its coverage."""
    venue = await house.venue(*MARKET)
    await house.start(WORKER_LIVE, WORKER_BACKFILL)
    await house.start(INGEST_HISTORY, **await venue.feed())
    await house.ingest(venue)
    async with subscriber(f"{url.replace('http', 'ws', 1)}/v1/stream") as peer:
        await peer.subscribe({"channel": "coverage:*:*"}, {"channel": "bars:*:*"})
        for _ in range(4):
            await peer.hear("bar")
        yield venue, peer


async def strike(venue: Venue, kind: str, seconds: float, **parameters: Any) -> None:
    order = {"kind": kind, "seconds": seconds, "parameters": parameters}
    assert (await venue.http.post(f"{venue.rest_url}/sim/faults", json=order)).is_success


async def gap_of(peer: Peer, *states: str) -> dict[str, Any]:
    """Return the next gap of trades that is in one of these states."""
    while True:
        gap: dict[str, Any] = (await peer.hear("gap"))["data"]
        if gap["kind"] == "trades" and gap["state"] in states:
            return gap


async def asked(house: House, url: str, path: str, **parameters: str) -> dict[str, Any]:
    response = await house.http.get(f"{url}{path}", params=parameters, headers={"Cache-Control": "no-cache"})
    assert response.is_success, response.text
    return dict(response.json())


async def test_a_gap_is_seen_to_open_and_to_heal(house: House) -> None:
    url = await house.api()
    async with listening(house, url) as (venue, peer):
        await strike(venue, "gap", 1.5, feed="trades")
        opened = await gap_of(peer, "open")
        closed = await gap_of(peer, "closed")
        assert ("sequence", opened["gap_id"]) == (opened["cause"], closed["gap_id"])
        span = {"from": opened["from_ts"], "to": closed["to_ts"]}
        covered = await asked(house, url, "/v1/coverage", **FEED, **span)
        [listed] = (await asked(house, url, "/v1/gaps", **FEED, **span, kind="trades"))["data"]
        assert (1.0, []) == (covered["share"], covered["unproven"])
        assert "closed" == listed["state"]

        async def rebuilt() -> list[dict[str, Any]]:
            """Return the bars that lie in the gap, once they are final and nothing is to be repaired."""
            if await house.value("SELECT (SELECT count(*) FROM dirty) + (SELECT count(*) FROM staged)"):
                return []
            found: list[dict[str, Any]] = (
                await asked(house, url, "/v1/bars", **FEED, **span, interval="1s")
            )["data"]
            return found

        bars = await house.until(rebuilt)
        assert {1.0} == {bar["coverage"] for bar in bars}


async def test_what_a_venue_cannot_give_back_is_never_called_proven(house: House) -> None:
    url = await house.api()
    async with listening(house, url) as (venue, peer):
        await strike(venue, "short_history", 3, share=1)
        await strike(venue, "gap", 1.5, feed="trades")
        lost = await gap_of(peer, "unrecoverable")
        span = {"from": lost["from_ts"], "to": lost["to_ts"]}
        assert 0.0 == (await asked(house, url, "/v1/coverage", **FEED, **span))["share"]
        bars = (await asked(house, url, "/v1/bars", **FEED, interval="1s"))["data"]
        touching = [bar for bar in bars if bar["start"][:19] == lost["from_ts"][:19]]
        assert all(bar["coverage"] < 1 for bar in touching)
        health = await asked(house, url, "/health")
        assert health["gaps"]["unrecoverable"]
