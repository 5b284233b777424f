"""Gaps over REST."""

import pytest

from db import gaps
from market.gaps import DEPTHS, Cause, GapState
from tests.api.holes import close, find
from tests.api.peers import Served, Worker


async def test_a_gap_comes_back_as_it_was_found(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    gap = await find(worker.connection, sol, 1, 2.5, after_id=9_007_199_254_740_993)
    [row] = (await served.get("/v1/gaps"))["data"]
    assert row.pop("opened_at").endswith("Z")
    assert {
        "exchange": "kraken",
        "symbol": "SOL/USD",
        "gap_id": gap.gap_id,
        "kind": "trades",
        "cause": "reconnect",
        "state": "open",
        "from_ts": "2024-12-04T00:00:01.000000Z",
        "to_ts": "2024-12-04T00:00:02.500000Z",
        "after_id": "9007199254740993",
        "before_id": None,
        "job_id": gap.job_id,
        "closed_at": None,
        "detail": "",
    } == row


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [1, 2, 3, 4]),
        ({"exchange": "kraken"}, [1, 2, 3]),
        ({"exchange": "kraken", "symbol": "SOL/USD"}, [1, 2]),
        ({"kind": "depths"}, [2]),
        ({"state": "closed"}, [3]),
        ({"from": "2024-12-04T00:00:11Z", "to": "2024-12-04T00:00:20Z"}, [2]),
        ({"from": "2024-12-04T00:00:12Z", "to": "2024-12-04T00:00:20Z"}, []),
        ({"order": "desc", "exchange": "kraken"}, [3, 2, 1]),
    ],
)
async def test_gaps_are_asked_for_by_feed_kind_state_and_time(
    served: Served, worker: Worker, asked: dict[str, str], found: list[int]
) -> None:
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    [eth] = await worker.instruments("ETH/USD", exchange="coinbase")
    made = [
        await find(worker.connection, sol, 0, 2),
        await find(
            worker.connection, sol, 10, 12, kind=DEPTHS, cause=Cause.BOOK, state=GapState.UNRECOVERABLE
        ),
        await find(worker.connection, btc, 20, 22),
        await find(worker.connection, eth, 30, 32),
    ]
    await close(worker.connection, made[2])
    number = {gap.gap_id: place for place, gap in enumerate(made, 1)}
    rows = (await served.get("/v1/gaps", **asked))["data"]
    assert found == [number[row["gap_id"]] for row in rows]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_of_gaps_join_while_more_are_found(served: Served, worker: Worker, order: str) -> None:
    [sol] = await worker.instruments("SOL/USD")
    made = [(await find(worker.connection, sol, at, at + 1)).gap_id for at in range(10)]
    page = await served.get("/v1/gaps", order=order, limit=3)
    seen = [row["gap_id"] for row in page["data"]]
    while page["has_more"]:
        await find(worker.connection, sol, 100 + len(seen), 101 + len(seen))
        page = await served.get("/v1/gaps", order=order, limit=3, cursor=page["next"])
        seen += [row["gap_id"] for row in page["data"]]
    assert (sorted(made, reverse=order == "desc"), len(seen)) == (
        [gap_id for gap_id in seen if gap_id in made],
        len(set(seen)),
    )


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("state=lost", 422, "unrecoverable"),
        ("kind=quotes", 422, "kind"),
        ("symbol=DOGE/USD", 404, "kraken"),
        ("exchange=kraken&symbol=DOGE/USD", 404, "SOL/USD"),
        ("cursor=x", 422, "cursor"),
    ],
)
async def test_a_question_about_gaps_is_refused_with_what_to_do(
    served: Served, worker: Worker, query: str, status: int, said: str
) -> None:
    await worker.instruments("SOL/USD")
    response = await served.http.get(f"/v1/gaps?{query}")
    assert (status, True) == (response.status_code, said in response.json()["detail"])


async def test_health_and_metrics_count_the_gaps_that_are_not_closed(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    for at in range(3):
        await find(worker.connection, sol, 10 * at, 10 * at + 1)
    healing = await find(worker.connection, sol, 50, 51)
    await gaps.begin_healing(worker.connection, healing.gap_id)
    await close(worker.connection, await find(worker.connection, sol, 60, 61))
    await find(worker.connection, sol, 70, 71, kind=DEPTHS, cause=Cause.BOOK, state=GapState.UNRECOVERABLE)
    found = (await served.http.get("/health")).json()
    measured = (await served.http.get("/metrics")).text
    assert {"open": 3, "healing": 1, "unrecoverable": 1} == found["gaps"]
    for state, count in found["gaps"].items():
        assert f'heliograph_gaps{{state="{state}"}} {count}.0' in measured
