"""What runs short in the house moves a metric, and so does what a subscriber costs."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.settings import ApiSettings
from db import schedules
from db.feeds import WantedFeed, offer
from market.channels import Family
from market.publications import Latest
from market.times import MINUTE, SECOND
from runtime.clock import now
from tests.api.peers import Served, Worker, serving, until

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


async def test_what_the_bus_did_not_bring_is_measured(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": "signals:kraken:SOL/USD"})
        await worker.commit(sol, 1, 2)
        await peer.offsets(2)
    assert 2 == (await measured(served))["heliograph_refilled_total",]


async def test_latest_values_that_were_replaced_and_what_waits_are_measured(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": "quotes:kraken:SOL/USD", "max_rate_ms": 60_000})
        for n in (1, 2):
            await worker.bus.latest([Latest(sol.instrument_id, Family.QUOTES, n, 0, 3, f'{{"n":{n}}}')])
        await peer.hear("quote")
        await until(lambda: served.state["hub"].deepest() == 1)
        assert 1 == (await measured(served))["heliograph_mailbox_depth",]
    async with served.stream() as peer:
        await peer.subscribe({"channel": "quotes:kraken:SOL/USD", "max_rate_ms": 0})
        await peer.hear("quote")
    assert 2 <= (await measured(served))["heliograph_conflated_total",]


WAITING = """
INSERT INTO batches (shard, writer, seq, ticks, listing, created_at)
VALUES (1, 1, 1, 5, '', clock_timestamp() - interval '9 seconds');
INSERT INTO dirty (instrument_id, from_ts, to_ts, reason, created_at)
VALUES (1, now(), now(), 'late', clock_timestamp() - interval '70 seconds');
INSERT INTO staged (shard, instrument_id, purpose, version, from_ts, to_ts, body)
VALUES (1, 1, 'repair', 1, now(), now(), '');
INSERT INTO quarantines (instrument_id, kind, from_ts, dead_letter_id) VALUES (1, 'rsi', now(), 1);
INSERT INTO sockets (process_id, exchange, url, number, state, symbols, last_frame_at, detail, updated_at)
VALUES ('i', 'kraken', 'wss://k', 1, 'listening', '{SOL/USD}', clock_timestamp() - interval '40 seconds', '',
        clock_timestamp()),
       ('i', 'kraken', 'wss://k', 2, 'listening', '{BTC/USD}', clock_timestamp(), '', clock_timestamp());
"""


async def test_what_waits_and_who_is_silent_is_measured(served: Served, worker: Worker) -> None:
    await worker.connection.execute(WAITING)
    found = await measured(served)
    assert (1, 1, 1, 1) == tuple(
        found[f"heliograph_{name}",]
        for name in ("batches_waiting", "dirty_waiting", "staged_waiting", "quarantines")
    )
    assert found["heliograph_oldest_batch_seconds",] >= 9
    assert found["heliograph_oldest_repair_seconds",] >= 70
    assert found["heliograph_feed_age_seconds", "kraken", "wss://k"] >= 40


async def test_which_roles_run_is_measured(served: Served, worker: Worker) -> None:
    for role, age in (("worker-live", 0), ("ingest", 30)):
        await worker.connection.execute(
            "INSERT INTO processes (process_id, role, host, pid, started_at, seen_at, counters)"
            " VALUES ($1, $1, 'h', 7, to_timestamp(0), clock_timestamp() - $2 * interval '1 second', '{}')",
            role,
            age,
        )
    found = await measured(served)
    assert (1, 0) == (
        found["heliograph_process_up", "worker-live"],
        found["heliograph_process_up", "ingest"],
    )
    assert 0 == found["heliograph_process_up", "scheduler"]


async def test_subscribers_requests_and_the_cache_are_measured(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": "signals:kraken:SOL/USD"})
        await worker.publish(sol, 1)
        await peer.offsets(1)
        for _ in range(2):
            await served.get("/v1/signals", exchange="kraken", symbol="SOL/USD")
        found = await measured(served)
    assert 1 == found["heliograph_subscribers",]
    assert 1 == found["heliograph_publications_sent_total", "signals"]
    assert sum(value for name, value in found.items() if name[0] == "heliograph_cache_reads_total") >= 2
    assert any(name[0] == "heliograph_request_seconds_count" and value for name, value in found.items())


async def test_who_asks_too_much_is_measured(postgres_url: str, redis_url: str) -> None:
    settings = ApiSettings(port=0, requests_per_second=0.1, requests_at_once=1)
    async with serving(settings, postgres_url, redis_url) as served:
        answers = [(await served.http.get("/v1/instruments")).status_code for _ in range(2)]
        limited = served.state["metrics"].registry.get_sample_value
        assert [200, 429] == answers
        assert 1 == limited("heliograph_requests_limited_total", {"limit": "requests"})
