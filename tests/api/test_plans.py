"""No hot statement reads a large table whole: each is explained where tables are large."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from api.settings import ApiSettings
from db import queries
from db.connections import connected
from market.times import DAY, HOUR, MINUTE, to_iso
from tests.api.large import END, SYMBOLS, T, fill, large_tables
from tests.api.peers import WITHIN_SECONDS, Served, serving
from tests.conftest import TEMPLATE, execute, run_aside, url_of

pytestmark = pytest.mark.slow

NAME = "test_large"
MIDDLE = T + 7 * DAY
SOL = {"exchange": "kraken", "symbol": "SOL/USD"}
SOON: dict[str, str | int] = {"from": to_iso(MIDDLE), "to": to_iso(MIDDLE + HOUR)}


@pytest.fixture(scope="module")
def large_url(postgres_template: str) -> Iterator[str]:
    url = url_of(postgres_template, NAME)
    run_aside(
        lambda: execute(postgres_template, f"CREATE DATABASE {NAME} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    )
    run_aside(lambda: fill(url))
    yield url
    run_aside(lambda: execute(postgres_template, f"DROP DATABASE {NAME} WITH (FORCE)"))


@pytest.fixture
async def explained(large_url: str, redis_url: str) -> AsyncIterator[Served]:
    """An API that logs every statement with its plan."""
    settings = ApiSettings(port=0, slow_query_seconds=0.0, cache_seconds=0, heartbeat_seconds=0.2)
    async with serving(settings, large_url, redis_url) as served:
        yield served


async def plans_of(served: Served, events: list[EventDict], number: int) -> list[str]:
    """Return the plans of what was asked so far: a statement of ours comes after all of it."""
    mark = f"SELECT 'mark {number}'"
    async with served.state["database"].connection() as connection:
        await connection.fetch(mark)
    async with asyncio.timeout(WITHIN_SECONDS):
        while mark not in [event.get("statement") for event in events]:  # noqa: ASYNC110 - a log sets no event
            await asyncio.sleep(0.01)
    return [event["plan"] for event in events if "cost=" in event.get("plan", "")]


def whole(plans: list[str], large: set[str]) -> list[str]:
    """Return the plans that read a large table from end to end."""
    return [plan for plan in plans if large & set(re.findall(r"Seq Scan on (\w+)", plan))]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/trades", SOL),
        ("/v1/trades", {**SOL, **SOON}),
        ("/v1/trades", {"exchange": "kraken"}),
        ("/v1/trades", {"exchange": "kraken", "symbol": "*/USD", **SOON}),
        ("/v1/quotes", {**SOL, **SOON}),
        ("/v1/quotes", {"exchange": "kraken"}),
        ("/v1/depth", {**SOL, **SOON}),
        ("/v1/trades", {"exchange": "kraken", **SOON}),
        *(("/v1/bars", {**SOL, "interval": interval}) for interval in ("1s", "1m", "5m", "1h", "1d")),
        ("/v1/bars", {**SOL, **SOON, "interval": "1m"}),
        ("/v1/signals", {}),
        ("/v1/signals", SOL),
        ("/v1/signals", {**SOL, **SOON, "kind": "rsi"}),
        ("/v1/signals", {**SOON, "kind": "nothing"}),
        ("/v1/indicators", {}),
        ("/v1/indicators", {**SOL, **SOON, "kind": "rsi"}),
        ("/v1/gaps", {}),
        ("/v1/gaps", {**SOL, **SOON}),
        ("/v1/gaps", {"state": "open"}),
        ("/v1/verifications", {}),
        ("/v1/verifications", {**SOL, **SOON}),
    ],
)
async def test_no_page_of_history_reads_a_table_whole(
    explained: Served, large_url: str, path: str, asked: dict[str, str | int], order: str
) -> None:
    large = await large_tables(large_url)
    assert {"trades_20261101", "bars", "signals", "publications", "gaps", "proofs"} <= large
    plans: list[str] = []
    table = path.rpartition("/")[2]
    async with asyncio.timeout(WITHIN_SECONDS):
        while not any(table in plan for plan in plans):  # while too many wait, plans are not asked for
            with capture_logs() as events:
                page = await explained.get(path, **asked, order=order, limit=100)
                plans += await plans_of(explained, events, 1)
                if page["has_more"]:
                    await explained.get(path, **asked, order=order, limit=100, cursor=page["next"])
                    plans += await plans_of(explained, events, 2)
    assert [] == whole(plans, large)


async def test_nothing_else_that_is_asked_often_reads_a_table_whole(
    explained: Served, large_url: str
) -> None:
    large = await large_tables(large_url)
    with capture_logs() as events:
        await explained.get("/v1/instruments")
        plans = await plans_of(explained, events, 1)
        await explained.get("/v1/coverage", **SOL, **SOON)
        plans = await plans_of(explained, events, 2)
        await explained.get(f"/v1/signals/kraken:SOL~USD:rsi:1:{MIDDLE}")
        plans = await plans_of(explained, events, 3)
        async with explained.stream() as peer:
            named = [{"channel": f"signals:kraken:{base}/USD", "after": 59_990} for base in SYMBOLS]
            await peer.subscribe(*named, {"channel": "coverage:*"}, {"channel": "quotes:*:*"})
            await peer.offsets(40)
            plans = await plans_of(explained, events, 4)
    for table in ("instruments", "proofs", "signals", "gaps"):
        assert [True] == [any(f" on {table}" in plan for plan in plans)], table
    assert [] == whole(plans, large)


EXCHANGE, INSTRUMENT = 1, 1
PART = ([EXCHANGE], [INSTRUMENT], [MIDDLE], [0], [MIDDLE + MINUTE], [10**9], MIDDLE, MIDDLE + MINUTE)
HOT: list[tuple[str, tuple[Any, ...]]] = [
    *((f"tapes.{kind}", PART) for kind in ("trades", "quotes", "depths", "watermarks")),
    ("tapes.second_before", (EXCHANGE, INSTRUMENT, MIDDLE, 100)),
    ("tapes.depth_before", (EXCHANGE, INSTRUMENT, MIDDLE, 100)),
    ("tapes.count_after", (EXCHANGE, INSTRUMENT, MIDDLE, END, 20_000)),
    ("claims.due", ([1], [1], [4_990])),
    ("claims.heads", ([1, 2], [4_999, 4_999])),
    ("claims.batches", ([1, 2], [1], [1], [4_990], 100)),
    ("claims.append_state", ([1], [5_001], [b""])),
    ("claims.delete_batches", ([1], [1], [4_999])),
    ("claims.sweep_states", (1, 2)),
    ("publications.bounds", ([1, 2], ["signals", "bars"])),
    ("publications.beyond", ([1, 2], ["signals", "bars"], [59_000, 59_000], 256)),
    ("proofs.tape_ends", ([EXCHANGE], [INSTRUMENT])),
    ("coverage.known", ([INSTRUMENT], ["trades"], [MIDDLE], [MIDDLE + MINUTE], 8)),
    ("near.known", ([EXCHANGE], [INSTRUMENT], [MIDDLE], [7], [1000], MIDDLE - 1000, MIDDLE + 1000)),
    ("outcomes.bars_since", (INSTRUMENT, [1, 60, 300, 3600], [END - HOUR] * 4)),
    ("outcomes.bars_in", (INSTRUMENT, [1, 60], [MIDDLE] * 2, [MIDDLE + MINUTE] * 2)),
    ("outcomes.signals_since", (INSTRUMENT, END - HOUR)),
    ("outcomes.signals_in", (INSTRUMENT, MIDDLE, MIDDLE + HOUR)),
    ("outcomes.remove_signals", ([INSTRUMENT], ["rsi"], [1], [MIDDLE])),
    ("outcomes.told_at", (INSTRUMENT, "signals", ["rsi"], [MIDDLE])),
    ("indicators.clear", ([INSTRUMENT], ["trades"], [MIDDLE], [MIDDLE + MINUTE])),
    ("verifications.signals", (INSTRUMENT, MIDDLE, MIDDLE + HOUR)),
    ("verifications.began", (EXCHANGE, INSTRUMENT)),
    ("holes.holes", (EXCHANGE, INSTRUMENT, MIDDLE, MIDDLE + MINUTE, 0, 10**9, [], [], 10)),
    ("holes.first", (EXCHANGE, INSTRUMENT, MIDDLE)),
]


@pytest.mark.parametrize(("name", "given"), HOT, ids=[name for name, _ in HOT])
async def test_no_statement_of_a_worker_or_an_ingester_reads_a_table_whole(
    large_url: str, name: str, given: tuple[Any, ...]
) -> None:
    noun, _, statement = name.partition(".")
    async with connected(large_url, "test") as connection:
        rows = await connection.fetch(f"EXPLAIN {vars(queries.load(noun))[statement]}", *given)
    plan = "\n".join(row[0] for row in rows)
    assert [] == whole([plan], await large_tables(large_url))


async def test_a_table_that_is_read_whole_would_be_found(large_url: str) -> None:
    connection = await asyncpg.connect(large_url)
    rows = await connection.fetch("EXPLAIN SELECT sum(size) FROM trades WHERE size > 1")
    await connection.close()
    plan = "\n".join(row[0] for row in rows)
    assert [plan] == whole([plan], await large_tables(large_url))
