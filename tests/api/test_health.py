"""What `/health` and `/metrics` tell of ingesters: their buffers, their memory, their books."""

import json
from typing import Any

import pytest

from runtime.clock import now
from tests.api.peers import Served, Worker

MINUTE = 60_000_000
EASY = {
    "share": 0.1,
    "peak_share": 1.0,
    "saturated": False,
    "pauses": 3,
    "paused_seconds": 2.5,
    "waiting_bytes": 60,
    "resident_bytes": 100,
    "memory_limit_bytes": 1000,
}


def book(symbol: str, state: str, since: int) -> dict[str, Any]:
    return {
        "exchange": "kraken",
        "symbol": symbol,
        "state": state,
        "since": since,
        "resyncs": 2,
        "cause": "checksum",
    }


async def beat(worker: Worker, pressure: dict[str, Any], *books: dict[str, Any]) -> None:
    await worker.connection.execute(
        "INSERT INTO processes VALUES ('a', 'ingest', 'h', 7, now(), clock_timestamp(), NULL, $1::jsonb)",
        json.dumps({"feeds": {}, "pressure": pressure, "books": books}),
    )


async def test_the_state_of_each_book_is_told(served: Served, worker: Worker) -> None:
    await beat(
        worker, EASY, book("SOL/USD", "valid", 1_700_000_000_000_000), book("BTC/USD", "snapshot", now())
    )
    found = (await served.http.get("/health")).json()
    measured = (await served.http.get("/metrics")).text
    sol, btc = found["books"]
    assert ("valid", "2023-11-14T22:13:20.000000Z", 2, "checksum") == (
        sol["state"],
        sol["since"],
        sol["resyncs"],
        sol["cause"],
    )
    assert ("snapshot", "ok") == (btc["state"], found["status"])
    assert 'heliograph_books{exchange="kraken",state="valid"} 1.0' in measured
    assert 'heliograph_book_resyncs{exchange="kraken",symbol="BTC/USD"} 2.0' in measured


async def test_how_full_the_buffer_is_and_was_is_told(served: Served, worker: Worker) -> None:
    await beat(worker, EASY)
    (ingester,) = (await served.http.get("/health")).json()["ingesters"]
    measured = (await served.http.get("/metrics")).text
    assert (7, 0.1, 1.0, 3, 2.5) == (
        ingester["pid"],
        ingester["buffer_share"],
        ingester["buffer_peak_share"],
        ingester["paused_reads"],
        ingester["paused_seconds"],
    )
    for name, value in (
        ("buffer_peak_share", 1.0),
        ("paused_seconds", 2.5),
        ("memory_bytes", 100.0),
        ("book_waiting_bytes", 60.0),
    ):
        assert f'heliograph_{name}{{process="h:7"}} {value}' in measured


async def test_what_is_in_use_of_the_venues_limits_is_told(served: Served, worker: Worker) -> None:
    budget = {"name": "kraken:spot", "limit": 2.0, "used": 1.5, "waits": 3, "waited_seconds": 2.5}
    await worker.connection.execute(
        "INSERT INTO processes VALUES ('b', 'ingest-history', 'h', 8, now(), clock_timestamp(), NULL, $1)",
        json.dumps({"outbound": {"budgets": [budget]}}),
    )
    measured = (await served.http.get("/metrics")).text
    of = 'exchange="kraken"'
    assert f'heliograph_budget_limit{{budget="kraken:spot",{of}}} 2.0' in measured
    for name, value in (("used", 1.5), ("waits", 3.0), ("waited_seconds", 2.5)):
        assert f'heliograph_budget_{name}{{budget="kraken:spot",{of},process="h:8"}} {value}' in measured


@pytest.mark.parametrize(
    ("strain", "said"),
    [
        ({"share": 0.75}, "buffer is 75% full"),
        ({"share": 0.55, "saturated": True}, "waits for the database"),
        ({"resident_bytes": 810}, "81% of the memory"),
    ],
)
async def test_what_an_ingester_runs_short_of_is_a_problem(
    served: Served, worker: Worker, strain: dict[str, Any], said: str
) -> None:
    await beat(worker, EASY | strain)
    found = (await served.http.get("/health")).json()
    assert "degraded" == found["status"]
    assert 1 == sum(said in problem for problem in found["problems"]), found["problems"]


async def test_a_book_that_waits_long_for_its_snapshot_is_a_problem(served: Served, worker: Worker) -> None:
    await beat(worker, EASY, book("SOL/USD", "snapshot", now() - MINUTE))
    (problem,) = (await served.http.get("/health")).json()["problems"]
    assert problem == "the book of kraken:SOL/USD waits for a snapshot (checksum)"


async def test_a_heartbeat_of_an_older_version_is_read(served: Served, worker: Worker) -> None:
    await worker.connection.execute(
        "INSERT INTO processes VALUES ('a', 'ingest', 'h', 7, now(), clock_timestamp(), NULL, '{}')"
    )
    found = (await served.http.get("/health")).json()
    assert ("ok", []) == (found["status"], found["books"])
