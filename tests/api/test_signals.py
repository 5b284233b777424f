"""One signal by its id, and why it was told."""

from collections.abc import Sequence
from typing import Any

import pytest

from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.signal_ids import SignalId
from market.trades import Trade
from tests.api.peers import Served, Worker
from tests.workers.market import BEGAN, claim_all, new_claimer, tape


async def told(served: Served, worker: Worker) -> tuple[Sequence[Trade], list[dict[str, Any]]]:
    """Store a tape, let a worker fold it, and return it with the signals that are served."""
    [sol] = await worker.instruments("SOL/USD")
    trades = tape(sol.instrument_id, 8000)
    await ensure_days(worker.connection, [day_of(BEGAN)])
    writer = TickWriter(worker.connection, await enlist(worker.connection))
    await writer.write(Ticks(trades=trades), {sol.instrument_id: sol})
    await claim_all(new_claimer(), worker.connection)
    return trades, (await served.get("/v1/signals", limit=1000))["data"]


async def test_a_signal_is_found_by_its_id(served: Served, worker: Worker) -> None:
    _, signals = await told(served, worker)
    assert signals[-1] == await served.get(f"/v1/signals/{signals[-1]['id']}")


async def test_a_signal_is_explained_by_its_ticks_and_decided_again(served: Served, worker: Worker) -> None:
    trades, signals = await told(served, worker)
    signal = next(each for each in signals if each["kind"] == "rsi")
    why = await served.get(f"/v1/signals/{signal['id']}/explain", limit=10_000)
    assert (True, "", signal, signal) == (why["equal"], why["reason"], why["signal"], why["recomputed"])
    assert [signal["first"]["id"], signal["last"]["id"]] == [why["ticks"][at]["id"] for at in (0, -1)]
    assert len(why["ticks"]) == why["ticks_total"] == sum(bar["trades"] for bar in why["bars"])
    assert {str(trade.trade_id): trade.price for trade in trades}.items() >= {
        each["id"]: each["price"] for each in why["ticks"]
    }.items()
    assert (signal["direction"], signal["evidence"]) == (
        why["steps"][-1]["told"],
        why["steps"][-1]["evidence"],
    )


async def test_an_explanation_can_be_short(served: Served, worker: Worker) -> None:
    _, signals = await told(served, worker)
    why = await served.get(f"/v1/signals/{signals[0]['id']}/explain", limit=2)
    assert (True, 2, 2) == (why["equal"], len(why["ticks"]), len(why["steps"]))
    assert why["ticks_total"] > 2


@pytest.mark.parametrize("rest", ["", "/explain"])
async def test_a_signal_that_is_not_stored_is_not_found(served: Served, worker: Worker, rest: str) -> None:
    await worker.instruments("SOL/USD")
    answer = await served.http.get(f"/v1/signals/{SignalId('kraken', 'SOL/USD', 'rsi', 2, BEGAN)}{rest}")
    assert (404, "unknown-signal") == (answer.status_code, answer.json()["type"].rpartition(":")[2])


async def test_what_is_no_id_is_refused(served: Served) -> None:
    answer = await served.http.get("/v1/signals/17")
    assert (422, "id") == (answer.status_code, answer.json()["errors"][0]["where"])
