"""How long answers are kept, and how who has one is told that it still holds."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from db.claims import Cursor, Head
from db.dirty import DirtyInterval, mark
from market.times import MINUTE, SECOND
from tests.api.holes import close, find
from tests.api.peers import Served, Worker
from tests.api.ticks import T, add_trades, unpartitioned

if TYPE_CHECKING:
    from db.instruments import Listed

ASKED = "/v1/trades?exchange=kraken&symbol=SOL/USD"


@pytest.fixture
async def sol(worker: Worker) -> "Listed":
    """Return an instrument with trades of a minute, which live has left an hour behind."""
    await unpartitioned(worker.connection)
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker.connection, sol, *((T + n * SECOND, n) for n in range(60)))
    settled = T + 60 * MINUTE
    head = Head({}, {sol.instrument_id: Cursor(settled, 3, 0, T, 0, 0, settled_ts=settled)})
    await worker.connection.execute(
        "INSERT INTO states VALUES ($1, 1, $2)", sol.shard, msgspec.msgpack.encode(head)
    )
    return sol


async def longest(served: Served) -> int:
    """Return for how long the newest answer is kept, in whole hours."""
    redis = served.state["cache"]._redis
    left = [await redis.ttl(name) for name in await redis.keys("heliograph:answers:*")]
    await redis.flushdb()
    return round(max(left) / 3600)


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        (f"&to={T + 30 * MINUTE}", 1),
        (f"&to={T + 59 * MINUTE}", 1),
        (f"&to={T + 59 * MINUTE + 1}", 0),
        ("", 0),
        ("&limit=10", 1),
        ("&order=desc", 0),
        (f"&order=desc&to={T + 30 * MINUTE}", 1),
    ],
)
@pytest.mark.usefixtures("sol")
async def test_what_live_has_left_behind_is_kept_for_an_hour(served: Served, query: str, hours: int) -> None:
    await served.http.get(ASKED + query)
    assert hours == await longest(served)


async def test_what_is_to_be_repaired_or_healed_is_not_kept_for_long(
    served: Served, worker: Worker, sol: "Listed"
) -> None:
    asked = f"{ASKED}&from={T}&to={T + 30 * MINUTE}"
    gap = await find(worker.connection, sol, 60, 120, after_id=1, before_id=5)
    await served.http.get(asked)
    healing = await longest(served)
    await close(worker.connection, gap)
    dirty = DirtyInterval(sol.instrument_id, T + 40 * MINUTE, T + 41 * MINUTE)
    await mark(worker.connection, [dirty], "late")
    await served.http.get(asked)
    later = await longest(served)
    await mark(worker.connection, [DirtyInterval(sol.instrument_id, T, T + MINUTE)], "late")
    await served.http.get(asked)
    assert (0, 1, 0) == (healing, later, await longest(served))


async def test_a_repair_is_seen_at_once_in_what_was_kept_for_long(
    served: Served, worker: Worker, sol: "Listed"
) -> None:
    asked = f"{ASKED}&to={T + 30 * MINUTE}"
    first = await served.http.get(asked)
    await add_trades(worker.connection, sol, (T + 1, 77))
    kept = await served.http.get(asked)
    await worker.bus.renew([sol.instrument_id])
    repaired = await served.http.get(asked)
    outcomes = [each.headers["x-cache"] for each in (first, kept, repaired)]
    assert (["miss", "hit", "miss"], 60, 61) == (
        outcomes,
        len(kept.json()["data"]),
        len(repaired.json()["data"]),
    )
    assert first.headers["etag"] == kept.headers["etag"] != repaired.headers["etag"]


@pytest.mark.parametrize("path", [ASKED, "/v1/instruments", "/v1/feeds"])
@pytest.mark.usefixtures("sol")
async def test_who_has_an_answer_is_told_that_it_holds(served: Served, worker: Worker, path: str) -> None:
    first = await served.http.get(path)
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = await served.http.get(path, headers={"If-None-Match": known})
        assert (304, b"", tag) == (again.status_code, again.content, again.headers["etag"])
    await worker.instruments("BTC/USD")
    other = await served.http.get(path, headers={"If-None-Match": '"other"'})
    assert (200, first.content) == (other.status_code, other.content)
    assert "private, max-age=" in other.headers["cache-control"]


@pytest.mark.usefixtures("sol")
async def test_lines_are_kept_by_nobody(served: Served) -> None:
    lines = await served.http.get(f"{ASKED}&format=csv")
    assert "no-store" == lines.headers["cache-control"]
