"""A plan says what is missing and what it costs; whatever cannot be is refused before anything is written."""

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from starlette.responses import Response

from db import feeds, proofs
from db.asked import job
from db.feeds import FeedName, WantedFeed
from heliograph.backfills import SURE_AFTER, Asked, Plan, Planner, enqueue
from market.coverage import Interval, Proof
from market.errors import HeliographError, InvalidInputError, UnknownFeedError, UnknownVenueError
from market.times import SECOND
from tests.ingest.freely import freely
from tests.ingest.history.past import BEGAN, Place, placed

pytestmark = pytest.mark.slow

TO = BEGAN + 4 * SECOND
NOW = BEGAN + 1000 * SECOND


@pytest.fixture
async def place(postgres_url: str) -> AsyncIterator[Place]:
    async with placed(postgres_url) as one:
        yield one


async def planned(
    place: Place,
    from_ts: int = BEGAN + SECOND,
    to_ts: int | None = TO,
    venue: str = "binance",
    symbols: Sequence[str] = ("BTC/USDT",),
) -> Plan:
    async with httpx.AsyncClient() as http:
        planner = Planner(place.connection, freely(http), lambda: NOW, "")
        return await planner.plan(Asked(venue, symbols, from_ts, to_ts))


async def written(place: Place) -> int:
    count: int = await place.connection.fetchval(
        "SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM chunks)"
    )
    return count


async def test_what_is_missing_is_counted_by_the_venues_ids(place: Place) -> None:
    plan = await planned(place)
    (part,) = plan.parts
    assert [Interval(BEGAN + SECOND, TO)] == part.missing
    assert part.estimate.rows == sum(BEGAN + SECOND <= each.ts < TO for each in place.trades)
    assert (plan.estimate.requests, part.begins_at, await written(place)) == (2, None, 0)


async def test_what_is_proven_is_left_out(place: Place) -> None:
    one = place.listed.instrument_id
    await proofs.extend(place.connection, [Proof(one, "trades", BEGAN + 2 * SECOND, BEGAN + 3 * SECOND)])
    (part,) = (await planned(place)).parts
    assert [
        Interval(BEGAN + SECOND, BEGAN + 2 * SECOND),
        Interval(BEGAN + 3 * SECOND, TO),
    ] == part.missing
    await proofs.extend(place.connection, [Proof(one, "trades", BEGAN, TO)])
    assert (await planned(place)).is_empty


async def test_a_range_that_begins_before_the_tape_is_fetched_from_its_beginning_on(place: Place) -> None:
    (part,) = (await planned(place, BEGAN - 3600 * SECOND)).parts
    assert part.begins_at == place.trades[0].ts
    assert part.pieces[0].from_ts == place.trades[0].ts


async def test_without_an_end_all_is_asked_for_that_history_is_sure_of(place: Place) -> None:
    assert (await planned(place, to_ts=None)).to_ts == NOW - SURE_AFTER


async def test_the_newest_piece_is_enqueued_first(place: Place) -> None:
    one = place.listed.instrument_id
    await proofs.extend(place.connection, [Proof(one, "trades", BEGAN + 2 * SECOND, BEGAN + 3 * SECOND)])
    job_id = await enqueue(place.connection, await planned(place))
    pieces = await place.connection.fetch("SELECT from_ts FROM chunks ORDER BY chunk_id")
    assert [BEGAN + 3 * SECOND, BEGAN + SECOND] == [row["from_ts"] for row in pieces]
    made = await job(place.connection, job_id)
    assert (made.from_ts, made.to_ts, list(made.names)) == (BEGAN + SECOND, TO, ["binance:BTC/USDT"])


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"venue": "binanze"}, UnknownVenueError, "did you mean binance"),
        ({"symbols": ["BTCUSDT"]}, InvalidInputError, "did you mean BTC/USDT"),
        (
            {"symbols": ["BTC/USDC"]},
            UnknownFeedError,
            "BTC/USDC; or did you mean binance:BTC/USDT",
        ),
        (
            {"from_ts": NOW + SECOND, "to_ts": None},
            InvalidInputError,
            "history is sure of: give",
        ),
        ({"to_ts": NOW}, InvalidInputError, "--to 2023-11-14T22:30:00.000000Z lies ahead"),
        ({"from_ts": TO, "to_ts": BEGAN}, InvalidInputError, "does not lie before --to"),
        ({"from_ts": BEGAN - 9 * SECOND, "to_ts": BEGAN}, InvalidInputError, "has no trades before"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_can(
    place: Place, asked: dict[str, object], error: type[HeliographError], words: str
) -> None:
    with pytest.raises(error, match=words):
        await planned(place, **asked)  # type: ignore[arg-type]
    assert await written(place) == 0


async def test_a_symbol_that_the_venue_refuses_is_refused(place: Place) -> None:
    place.past.moods = [Response('{"code":-1121,"msg":"Invalid symbol."}', status_code=400)]
    with pytest.raises(InvalidInputError, match=r"BTC/USDT cannot be backfilled: .*Invalid symbol"):
        await planned(place)


async def test_trades_without_ids_cannot_be_backfilled(place: Place) -> None:
    await feeds.offer(place.connection, [WantedFeed(exchange="kraken", symbol="BTC/USD", protocol="v1")])
    with pytest.raises(InvalidInputError, match="have no ids"):
        await planned(place, venue="kraken", symbols=["BTC/USD"])


async def test_a_paused_feed_can_be_backfilled(place: Place) -> None:
    await feeds.pause(place.connection, [FeedName("binance", "BTC/USDT")])
    assert not (await planned(place)).is_empty
