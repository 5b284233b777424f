"""What scheduled verifications found, over REST and as metrics."""

from db.verifications import DIFFERENCES_KEPT, NewVerification, record
from market.times import DAY, HOUR
from market.verifications import UNREPAIRED, Difference, Unverified, Verification
from tests.api.peers import Served, Worker

DAY_BEGAN = 1_733_270_400_000_000
"""2024-12-04."""


def made(differences: int, day: int = DAY_BEGAN) -> Verification:
    bar = {"volume": 2.0}
    found = [Difference("bar", "1m", day + HOUR, bar, None) for _ in range(differences)]
    unverified = (Unverified(UNREPAIRED, day, day + HOUR),)
    return Verification(day, day + DAY, 1440, 7, 99, tuple(found), unverified)


async def keep(worker: Worker, symbol: str, verification: Verification) -> None:
    [listed] = await worker.instruments(symbol)
    end = verification.to_ts
    new = NewVerification(listed.instrument_id, end + HOUR, end + 2 * HOUR, "1.2.3", verification)
    await record(worker.connection, new)


async def test_a_verification_comes_back_with_what_it_found(served: Served, worker: Worker) -> None:
    await keep(worker, "SOL/USD", made(1))
    [row] = (await served.get("/v1/verifications"))["data"]
    assert {
        "exchange": "kraken",
        "symbol": "SOL/USD",
        "verification_id": 1,
        "from_ts": "2024-12-04T00:00:00.000000Z",
        "to_ts": "2024-12-05T00:00:00.000000Z",
        "started_at": "2024-12-05T01:00:00.000000Z",
        "finished_at": "2024-12-05T02:00:00.000000Z",
        "code_version": "1.2.3",
        "equal": False,
        "bars": 1440,
        "signals": 7,
        "indicators": 99,
        "differences": 1,
        "found": [
            {
                "noun": "bar",
                "about": "1m",
                "ts": "2024-12-04T01:00:00.000000Z",
                "stored": {"volume": 2.0},
                "right": None,
            }
        ],
        "unverified": [
            {
                "reason": "to be repaired",
                "about": "",
                "from_ts": "2024-12-04T00:00:00.000000Z",
                "to_ts": "2024-12-04T01:00:00.000000Z",
            }
        ],
    } == row


async def test_all_differences_are_counted_and_the_first_are_kept(served: Served, worker: Worker) -> None:
    await keep(worker, "SOL/USD", made(DIFFERENCES_KEPT + 5))
    [row] = (await served.get("/v1/verifications"))["data"]
    assert (DIFFERENCES_KEPT + 5, DIFFERENCES_KEPT) == (row["differences"], len(row["found"]))


async def test_verifications_are_asked_for_by_instrument_and_time_and_read_in_pages(
    served: Served, worker: Worker
) -> None:
    for day in range(3):
        await keep(worker, "SOL/USD", made(0, DAY_BEGAN + day * DAY))
        await keep(worker, "BTC/USD", made(0, DAY_BEGAN + day * DAY))
    sol = {"exchange": "kraken", "symbol": "SOL/USD", "order": "desc"}
    first = await served.get("/v1/verifications", **sol, limit=2)
    second = await served.get("/v1/verifications", **sol, limit=2, cursor=first["next"])
    assert [5, 3, 1] == [row["verification_id"] for row in first["data"] + second["data"]]
    of_a_day = await served.get(
        "/v1/verifications", **{"from": "2024-12-05T00:00:00Z", "to": "2024-12-06T00:00:00Z"}
    )
    assert [3, 4] == [row["verification_id"] for row in of_a_day["data"]]


async def test_the_newest_day_is_told_to_prometheus(served: Served, worker: Worker) -> None:
    await keep(worker, "SOL/USD", made(3))
    await keep(worker, "SOL/USD", made(1, DAY_BEGAN + DAY))
    await keep(worker, "BTC/USD", made(1, DAY_BEGAN + DAY))
    told = (await served.http.get("/metrics")).text
    assert "heliograph_verification_differences 2.0" in told
    assert "heliograph_verification_age_seconds" in told
