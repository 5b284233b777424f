"""What runs short in the house moves a metric, and so does what a subscriber costs."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from db import schedules
from db.feeds import WantedFeed, offer
from market.times import MINUTE, SECOND
from runtime.clock import now
from tests.api.peers import Served, Worker

pytestmark = pytest.mark.slow


async def measured(served: Served) -> dict[tuple[str, ...], float]:
    """Return each sample by its name and the values of its labels."""
    text = (await served.http.get("/metrics")).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_stores_and_pools_are_measured(served: Served) -> None:
    found = await measured(served)
    assert 1 == found["heliograph_redis_up",]
    assert found["heliograph_database_bytes",] > 0
    assert 0 < found["heliograph_database_connections",] < found["heliograph_database_connections_limit",]
    assert {"lent", "idle"} == {name[2] for name in found if name[0] == "heliograph_pool_connections"}


async def test_an_old_snapshot_and_the_rows_it_keeps_are_measured(served: Served, worker: Worker) -> None:
    await worker.connection.execute("INSERT INTO paused_chores SELECT generate_series(1, 9)::text")
    async with worker.connection.transaction(isolation="repeatable_read"):
        await worker.connection.fetch("SELECT * FROM feeds")
        await worker.connection.fetch("SELECT pg_sleep(0.05)")
        assert 0.05 <= (await measured(served))["heliograph_oldest_snapshot_seconds",]
    await worker.connection.execute("DELETE FROM paused_chores")
    await worker.connection.execute("SELECT pg_stat_force_next_flush()")
    await worker.connection.execute("SELECT 1")
    assert 9 == (await measured(served))["heliograph_dead_rows", "paused_chores"]


async def test_dead_letters_and_chores_are_measured(served: Served, worker: Worker) -> None:
    await worker.connection.execute(
        "INSERT INTO dead_letters (source, exchange, reason, payload, code_version)"
        " VALUES ('frame', 'kraken', '?', '?', '1')"
    )
    for name, state in (("heal", schedules.DONE), ("verify", schedules.FAILED)):
        await schedules.finish(
            worker.connection, await schedules.begin(worker.connection, name), state, "as it was"
        )
    found = await measured(served)
    assert 1 == found["heliograph_dead_letters", "frame"]
    assert (0, 1) == (found["heliograph_chore_failed", "heal"], found["heliograph_chore_failed", "verify"])
    assert 0 <= found["heliograph_chore_age_seconds", "verify"] < 60


async def test_open_breakers_are_measured(served: Served, worker: Worker) -> None:
    await worker.connection.execute(
        "INSERT INTO processes VALUES ('a', 'ingest', 'h', 7, now(), clock_timestamp(), NULL, $1::jsonb)",
        '{"outbound": {"hosts": {"api.kraken.com": "open", "b.example": "closed"}, "budgets": []}}',
    )
    found = await measured(served)
    assert 1 == found["heliograph_breaker_open", "api.kraken.com", "h:7"]
    assert 0 == found["heliograph_breaker_open", "b.example", "h:7"]


async def test_how_much_of_the_last_hour_a_feed_is_proven_is_measured(served: Served, worker: Worker) -> None:
    [listed] = await worker.instruments("SOL/USD")
    exchange, symbol = listed.instrument.exchange, listed.instrument.symbol
    await offer(worker.connection, [WantedFeed(exchange=exchange, symbol=symbol)])
    await worker.connection.execute("UPDATE feeds SET added_at = added_at - interval '1 day'")
    until: Any = now()
    await worker.connection.execute(
        "INSERT INTO proofs VALUES ($1, 'trades', $2, $3, 'live')",
        listed.instrument_id,
        until - 30 * MINUTE,
        until + SECOND,
    )
    share = (await measured(served))["heliograph_coverage_share", exchange, symbol]
    assert pytest.approx(0.5, abs=0.01) == share
