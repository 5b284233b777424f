"""Coverage over REST: of an interval, and on every bar and signal."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from redis.asyncio import Redis

from api.settings import ApiSettings
from market.gaps import DEPTHS, Cause, GapState
from market.times import SECOND
from tests.api.holes import T, close, find, prove
from tests.api.peers import Served, Worker, serving

ASKED = {"exchange": "kraken", "symbol": "SOL/USD"}
MINUTE = ASKED | {"from": "2024-12-04T00:00:00Z", "to": "2024-12-04T00:01:00Z"}


@pytest.fixture
async def short(postgres_url: str, redis_url: str) -> AsyncIterator[Served]:
    """An API whose answers hold three intervals."""
    async with serving(ApiSettings(port=0, max_intervals=3), postgres_url, redis_url) as running:
        yield running


def seconds(spans: list[dict[str, str]]) -> list[tuple[float, float]]:
    return [(float(each["from_ts"][17:26]), float(each["to_ts"][17:26])) for each in spans]


async def test_an_interval_is_proven_but_for_its_gaps(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await prove(worker.connection, sol, 15, 30)
    await prove(worker.connection, sol, 30, 90)
    await find(worker.connection, sol, 40, 46)
    answer = await served.get("/v1/coverage", **MINUTE)
    assert ("trades", "kraken", "2024-12-04T00:01:00.000000Z") == (
        answer["kind"],
        answer["exchange"],
        answer["listed_until"],
    )
    assert 0.65 == pytest.approx(answer["share"])
    assert [(15, 40), (46, 0)] == seconds(answer["proven"])
    assert [(0, 15), (40, 46)] == seconds(answer["unproven"])


async def test_a_gap_counts_until_it_is_closed(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await prove(worker.connection, sol, 0, 60)
    gap = await find(worker.connection, sol, 30, 60)
    fresh = {"Cache-Control": "no-cache"}
    before = (await served.http.get("/v1/coverage", params=MINUTE, headers=fresh)).json()
    await close(worker.connection, gap)
    after = (await served.http.get("/v1/coverage", params=MINUTE, headers=fresh)).json()
    assert (0.5, 1.0, []) == (before["share"], after["share"], after["unproven"])


async def test_nothing_is_proven_before_anything_was_known(served: Served, worker: Worker) -> None:
    await worker.instruments("SOL/USD")
    answer = await served.get("/v1/coverage", **MINUTE)
    assert (0.0, [], [(0, 0)]) == (answer["share"], answer["proven"], seconds(answer["unproven"]))


async def test_books_have_a_coverage_of_their_own(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await prove(worker.connection, sol, 0, 60)
    await prove(worker.connection, sol, 0, 60, DEPTHS)
    await find(worker.connection, sol, 0, 30, kind=DEPTHS, cause=Cause.BOOK, state=GapState.UNRECOVERABLE)
    shares = [
        (await served.get("/v1/coverage", **MINUTE, kind=kind))["share"] for kind in ("trades", "depths")
    ]
    assert [1.0, 0.5] == shares


async def test_a_long_answer_goes_on_where_its_lists_end(short: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await prove(worker.connection, sol, 0, 60)
    for start in range(5, 60, 10):
        await find(worker.connection, sol, start, start + 1)
    answers = [await short.get("/v1/coverage", **MINUTE)]
    while answers[-1]["listed_until"] != answers[-1]["to_ts"]:
        asked = MINUTE | {"from": answers[-1]["listed_until"]}
        answers.append(await short.get("/v1/coverage", **asked))
    holes = [span for answer in answers for span in seconds(answer["unproven"])]
    assert [(start, start + 1) for start in range(5, 60, 10)] == holes
    assert all(len(each["proven"] + each["unproven"]) <= 3 for each in answers)
    assert 0.9 == answers[0]["share"]


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("exchange=kraken&symbol=SOL/USD", 422, "from"),
        ("exchange=kraken&symbol=SOL/USD&from=2024-12-04&to=2024-12-04", 422, "nothing lies"),
        ("exchange=kraken&symbol=SOL/USD&from=2024-12-04&kind=quotes", 422, "kind"),
        ("exchange=kraken&symbol=DOGE/USD&from=2024-12-04", 404, "SOL/USD"),
    ],
)
async def test_a_question_about_coverage_is_refused_with_what_to_do(
    served: Served, worker: Worker, query: str, status: int, said: str
) -> None:
    await worker.instruments("SOL/USD")
    response = await served.http.get(f"/v1/coverage?{query}")
    assert (status, True) == (response.status_code, said in response.json()["detail"])


async def test_an_answer_that_moves_is_kept_more_shortly(
    served: Served, worker: Worker, redis_url: str
) -> None:
    await worker.instruments("SOL/USD")
    for path in ("/v1/instruments", "/v1/gaps", "/v1/coverage?" + urlencode(MINUTE)):
        assert "miss" == (await served.http.get(path)).headers["X-Cache"]
    async with Redis.from_url(redis_url) as redis:
        lives = {str(key): await redis.ttl(key) for key in await redis.keys("*/v1/*")}
    assert 3 == len(lives)
    assert {key for key, life in lives.items() if life > 2} == {key for key in lives if "/v1/instr" in key}


async def test_bars_say_how_much_of_them_is_proven(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.connection.executemany(
        "INSERT INTO bars VALUES ($1, 1, $2, 1, 2, 0.5, 1.5, 10, 15, 6, 4, 3, 'live')",
        [(sol.instrument_id, T + at * SECOND) for at in range(6)],
    )
    await prove(worker.connection, sol, 1.5, 3)
    await find(worker.connection, sol, 2.25, 2.5)
    page = await served.get("/v1/bars", **ASKED, interval="1s", limit=3)
    rest = await served.get("/v1/bars", **ASKED, interval="1s", limit=3, cursor=page["next"])
    shares = [row["coverage"] for row in page["data"] + rest["data"]]
    assert [0.0, 0.5, 0.75, 1.0, 0.0, 0.0] == shares


async def test_signals_say_how_much_of_their_own_input_is_proven(served: Served, worker: Worker) -> None:
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    for listed, kind in ((sol, "rsi"), (sol, "pressure"), (btc, "rsi")):
        await worker.connection.execute(
            "INSERT INTO signals VALUES ($1, $2, 1, $3, 'up', 0.5, 1, 10.5, '{}', $4, $5, $3, $3)",
            listed.instrument_id,
            kind,
            T + 10 * SECOND,
            T + 10 * SECOND if kind == "pressure" else T,
            T + 10 * SECOND,
        )
    await prove(worker.connection, sol, 0, 60)
    await find(worker.connection, sol, 8, 10)
    await prove(worker.connection, sol, 9, 12, DEPTHS)
    rows = (await served.get("/v1/signals"))["data"]
    shares = {(row["symbol"], row["kind"]): row["coverage"] for row in rows}
    assert {("SOL/USD", "rsi"): 0.8, ("SOL/USD", "pressure"): 1.0, ("BTC/USD", "rsi"): 0.0} == shares
