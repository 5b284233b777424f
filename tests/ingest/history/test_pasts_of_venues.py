"""What each simulated venue's REST remembers is backfilled to the last trade, whatever goes wrong at it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from db.asked import NewPiece, enqueue_backfill, job, pieces
from db.chunks import Lease, claim
from db.connections import connected
from db.differences import differences
from db.feeds import WantedFeed, offer
from db.instruments import listed
from heliograph.backfills import Asked, Plan, Planner, enqueue
from ingest.history.backfilling import Backfilling
from market.times import SECOND
from runtime.clock import now
from sim import protocols
from sim.generator import GeneratedTape
from sim.generator import Plan as Market
from sim.pacing import Pace
from sim.pasts import Length
from sim.server import Manners, SimulatedVenue
from tests.ingest.freely import freely
from tests.ingest.history.conftest import desk_of

if TYPE_CHECKING:
    from db.connections import Connection

pytestmark = pytest.mark.slow

SYMBOLS = {"binance": "BTC/USDT", "coinbase": "BTC/USD", "kraken": "BTC/USD"}
TRADES, A_SECOND = 12_000, 10.0
LIMITED = {"kind": "ratelimit", "seconds": 3600, "parameters": {"share": 0.4}}
VENUES = pytest.mark.parametrize("venue", SYMBOLS)


@asynccontextmanager
async def trading(venue: str) -> AsyncIterator[SimulatedVenue]:
    market = Market(symbols=[SYMBOLS[venue]], venue=venue, past=Length(TRADES, A_SECOND))
    played = GeneratedTape(market)
    one = SimulatedVenue(protocols.named(venue), played, Pace(1.0), Manners(connections=0))
    async with one.serving():
        yield one


async def tape(venue: SimulatedVenue, plan: Plan) -> list[tuple[int, float, float]]:
    """Return what truly was traded in the range of a plan."""
    async with httpx.AsyncClient() as http:
        symbol = venue.status()["venue_symbols"][0]
        answer = await http.get(f"{venue.rest_url}/sim/tape", params={"symbol": symbol})
    return [
        (each["id"], float(each["price"]), float(each["size"]))
        for each in answer.json()["trades"]
        if plan.from_ts <= each["ts"] < plan.to_ts
    ]


async def stored(connection: "Connection") -> list[tuple[Any, ...]]:
    rows = await connection.fetch("SELECT trade_id, price, size FROM trades ORDER BY trade_id, ts")
    return [tuple(row) for row in rows]


async def planned(connection: "Connection", venue: str, rest_url: str, **asked: int) -> Plan:
    await offer(connection, [WantedFeed(exchange=venue, symbol=SYMBOLS[venue], rest_url=rest_url)])
    range_: Mapping[str, int] = {"from_ts": now() - 900 * SECOND, "to_ts": now() - 80 * SECOND, **asked}
    async with httpx.AsyncClient() as http:
        planner = Planner(connection, freely(http), now, "")
        return await planner.plan(Asked(venue, [SYMBOLS[venue]], **range_))


async def worked(connection: "Connection") -> None:
    """Work on all that waits, whatever was postponed."""
    lease = Lease("test", 60.0)
    async with desk_of([]) as desk:
        backfilling = Backfilling(connection, desk, lease)
        while (chunk := await claim(connection, lease)) is not None:
            await backfilling.backfill(chunk)
            await connection.execute("UPDATE chunks SET due_at = clock_timestamp() WHERE state = 'waiting'")


@VENUES
@pytest.mark.parametrize("limited", [False, True])
async def test_a_past_is_stored_as_the_venue_has_it(postgres_url: str, venue: str, *, limited: bool) -> None:
    async with trading(venue) as one, connected(postgres_url, "test") as connection:
        plan = await planned(connection, venue, one.rest_url)
        if limited:
            async with httpx.AsyncClient() as http:
                (await http.post(f"{one.rest_url}/sim/faults", json=LIMITED)).raise_for_status()
        job_id = await enqueue(connection, plan)
        await worked(connection)
        true, done = await tape(one, plan), await job(connection, job_id)
        assert len(true) > 8000 * 0.9
        assert true == await stored(connection)
        assert (done.state, done.stored) == ("done", len(true))
        assert abs(plan.estimate.rows - len(true)) < 20
        (changed,) = await differences(connection, done)
        assert ([], []) == (changed.now, changed.lacking)
        if not limited:
            again = {"from_ts": plan.from_ts, "to_ts": plan.to_ts}
            assert (await planned(connection, venue, one.rest_url, **again)).is_empty


@VENUES
async def test_pieces_that_touch_have_nothing_twice_and_lack_nothing(postgres_url: str, venue: str) -> None:
    async with trading(venue) as one, connected(postgres_url, "test") as connection:
        plan = await planned(connection, venue, one.rest_url)
        await enqueue(connection, plan)
        await connection.execute("DELETE FROM chunks")
        [instrument] = await listed(connection)
        step = (plan.to_ts - plan.from_ts) // 5
        cuts = [*range(plan.from_ts, plan.to_ts - step + 1, step), plan.to_ts]
        wanted = [NewPiece(instrument.instrument_id, a, b, 1) for a, b in pairwise(cuts)]
        job_id = await enqueue_backfill(connection, plan.from_ts, plan.to_ts, wanted)
        await worked(connection)
        assert await tape(one, plan) == await stored(connection)
        assert {"done"} == {piece.state for piece in await pieces(connection, job_id)}


@VENUES
async def test_a_range_that_begins_before_the_past_begins_with_it(postgres_url: str, venue: str) -> None:
    async with trading(venue) as one, connected(postgres_url, "test") as connection:
        plan = await planned(connection, venue, one.rest_url, from_ts=now() - 3600 * SECOND)
        await enqueue(connection, plan)
        await worked(connection)
        true = await tape(one, plan)
        assert true == await stored(connection)
        assert plan.parts[0].begins_at == plan.parts[0].pieces[0].from_ts
