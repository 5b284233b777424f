"""REST over real sockets, out of PostgreSQL, through a cache that may be gone."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from api.settings import ApiSettings
from db import indicators, proofs
from db.claims import Cursor, Head
from db.indicators import Replaced
from market.coverage import Proof
from market.gaps import TRADES
from market.indicators import Indicator
from market.times import DAY, HOUR
from tests.api.peers import FAR_AWAY, Served, Worker, serving

if TYPE_CHECKING:
    from db.instruments import Listed

T = 1_733_270_400_000_000
"""2024-12-04T00:00:00Z."""


async def add_trades(worker: Worker, listed: "Listed", *places: tuple[int, int]) -> None:
    await worker.connection.execute("CREATE TABLE IF NOT EXISTS trades_all PARTITION OF trades DEFAULT")
    await worker.connection.executemany(
        "INSERT INTO trades VALUES ($1, -1, $2, $3, $4, 65000.1, 1e-8, $3)",
        [(listed.exchange_id, listed.instrument_id, ts, trade_id) for ts, trade_id in places],
    )


async def add_signal(worker: Worker, listed: "Listed", kind: str, ts: int) -> None:
    await worker.connection.execute(
        "INSERT INTO signals VALUES ($1, $2, 1, $3, 'up', 0.5, 1, 10.5, '{\"rsi\": 71.25}', $3, $3, $3, $3)",
        listed.instrument_id,
        kind,
        ts,
    )


async def test_instruments_are_listed(served: Served, worker: Worker) -> None:
    await worker.instruments("SOL/USD", "BTC/USD")
    answer = await served.get("/v1/instruments")
    assert ["BTC/USD", "SOL/USD"] == sorted(row["symbol"] for row in answer["data"])


async def test_a_trade_comes_back_as_it_was(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker, sol, (T + 1, 9_007_199_254_740_993))
    response = await served.http.get("/v1/trades?exchange=kraken&symbol=SOL/USD")
    assert (
        '{"data":[{"exchange":"kraken","symbol":"SOL/USD","ts":"2024-12-04T00:00:00.000001Z",'
        '"trade_id":"9007199254740993","price":65000.1,"size":1e-8,"side":"sell",'
        '"received_at":"2024-12-04T00:00:00.000001Z"}],"next":null,"has_more":false,"coverage":0.0,"partial":true}'
    ) == response.text


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("symbol", ["SOL/USD", None])
async def test_pages_join_without_hole_or_repeat(
    served: Served, worker: Worker, order: str, symbol: str | None
) -> None:
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    await add_trades(worker, sol, *((T + n // 3, n) for n in range(10)))
    await add_trades(worker, btc, *((T + n // 3, n) for n in range(10)))
    asked: dict[str, str | int] = {"exchange": "kraken", "order": order, "limit": 3}
    asked |= {"symbol": symbol} if symbol else {}
    page = await served.get("/v1/trades", **asked)
    rows = page["data"]
    while page["has_more"]:
        page = await served.get("/v1/trades", **asked, cursor=page["next"])
        rows += page["data"]
    assert page["next"] is None
    assert (10 if symbol else 20) == len({(row["symbol"], row["trade_id"]) for row in rows}) == len(rows)
    assert sorted((row["ts"] for row in rows), reverse=order == "desc") == [row["ts"] for row in rows]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-12-04T00:00:01Z", "2024-12-04T00:00:02Z"),
        ("1733270401", "1733270402.0"),
        ("1733270401000", "1733270402000"),
        ("1733270401000000", "1733270402000000"),
    ],
)
async def test_a_range_is_half_open_in_every_notation(
    served: Served, worker: Worker, start: str, end: str
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker, sol, *((T + n * 500_000, n) for n in range(6)))
    asked = {"exchange": "kraken", "symbol": "SOL/USD", "from": start, "to": end}
    answer = await served.get("/v1/trades", **asked)
    assert ["2", "3"] == [row["trade_id"] for row in answer["data"]]


async def test_bars_of_an_interval_are_read(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.connection.execute(
        "INSERT INTO bars VALUES ($1, 60, $2, 1, 2, 0.5, 1.5, 10, 15, 6, 4, 3, 'live')", sol.instrument_id, T
    )
    asked = {"exchange": "kraken", "symbol": "SOL/USD"}
    [bar] = (await served.get("/v1/bars", **asked, interval="1m"))["data"]
    assert ("1m", "2024-12-04T00:00:00.000000Z", 1.5, 3) == (
        bar["interval"],
        bar["start"],
        bar["close"],
        bar["trades"],
    )
    assert [] == (await served.get("/v1/bars", **asked, interval="1s"))["data"]


async def test_hours_are_read_from_their_own_table_and_days_from_them(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.connection.executemany(
        "INSERT INTO bars_1h VALUES ($1, $2, 1, 2, 0.5, 1.5, 10, 15, 6, 4, 3, 'live')",
        [(sol.instrument_id, T + hour * HOUR) for hour in (3, 20, 27)],
    )
    head = Head({}, {sol.instrument_id: Cursor(T + DAY, 3, 0, T, 0, 0, settled_ts=T + DAY)})
    await worker.connection.execute(
        "INSERT INTO states VALUES ($1, 1, $2)", sol.shard, msgspec.msgpack.encode(head)
    )
    asked = {"exchange": "kraken", "symbol": "SOL/USD"}
    hours = (await served.get("/v1/bars", **asked, interval="1h"))["data"]
    [day] = (await served.get("/v1/bars", **asked, interval="1d"))["data"]
    assert ["1h"] * 3 == [hour["interval"] for hour in hours]
    assert ("1d", "2024-12-04T00:00:00.000000Z", 20.0, 6, True) == tuple(
        day[field] for field in ("interval", "start", "volume", "trades", "final")
    )


async def test_signals_are_asked_of_one_or_of_all(served: Served, worker: Worker) -> None:
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    await add_signal(worker, sol, "rsi", T)
    await add_signal(worker, sol, "flow", T + 1)
    await add_signal(worker, btc, "rsi", T + 2)
    everything = await served.get("/v1/signals")
    page = await served.get("/v1/signals", limit=2)
    rest = await served.get("/v1/signals", limit=2, cursor=page["next"])
    flow = await served.get("/v1/signals", exchange="kraken", symbol="SOL/USD", kind="flow")
    assert ["rsi", "flow", "rsi"] == [row["kind"] for row in everything["data"]]
    assert everything["data"] == page["data"] + rest["data"]
    assert [{"rsi": 71.25}] == [row["evidence"] for row in flow["data"]]


async def add_indicator(worker: Worker, listed: "Listed", kind: str, ts: int) -> None:
    one = Indicator(
        kind=kind, version=1, ts=ts, values={kind: 71.25}, confidence=0.5, from_ts=ts - DAY, to_ts=ts - 1
    )
    await indicators.replace(
        worker.connection, [Replaced(listed.instrument_id, one.source, None, None, [one])]
    )


async def test_an_indicator_comes_back_as_it_was_with_the_coverage_of_its_input(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await add_indicator(worker, sol, "rsi", T)
    await proofs.extend(worker.connection, [Proof(sol.instrument_id, TRADES, T - DAY // 2 - 1, T)])
    [row] = (await served.get("/v1/indicators", exchange="kraken", symbol="SOL/USD"))["data"]
    assert row.pop("coverage") == pytest.approx(0.5)
    assert row == {
        "exchange": "kraken",
        "symbol": "SOL/USD",
        "kind": "rsi",
        "version": 1,
        "ts": "2024-12-04T00:00:00.000000Z",
        "values": {"rsi": 71.25},
        "confidence": 0.5,
        "from_ts": "2024-12-03T00:00:00.000000Z",
        "to_ts": "2024-12-03T23:59:59.999999Z",
    }


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_indicators_are_asked_of_one_or_of_all_and_their_pages_join(
    served: Served, worker: Worker, order: str
) -> None:
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    for minute in range(3):
        for listed in (sol, btc):
            for kind in ("rsi", "flow"):
                await add_indicator(worker, listed, kind, T + minute * HOUR)
    everything = (await served.get("/v1/indicators", order=order))["data"]
    paged: list[dict[str, object]] = []
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = await served.get("/v1/indicators", order=order, limit=5, **cursor)
        paged += page["data"]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert 12 == len(everything)
    assert everything == paged == sorted(everything, key=lambda row: row["ts"], reverse=order == "desc")
    narrowed = {"exchange": "kraken", "symbol": "SOL/USD", "kind": "flow"}
    range_ = {"from": str(T + HOUR), "to": str(T + 2 * HOUR)}
    [flow] = (await served.get("/v1/indicators", **narrowed, **range_))["data"]
    assert ("SOL/USD", "flow", {"flow": 71.25}) == (flow["symbol"], flow["kind"], flow["values"])


@pytest.mark.parametrize("route", ["/v1/signals", "/v1/indicators"])
@pytest.mark.parametrize("kind", ["\0", "RSI", "no kind", ""])
async def test_what_can_be_no_kind_is_refused(served: Served, kind: str, route: str) -> None:
    refused = await served.http.get(route, params={"kind": kind})
    assert (422, True) == (refused.status_code, "kind" in refused.text)


async def test_an_answer_is_kept_and_can_be_asked_for_afresh(served: Served, worker: Worker) -> None:
    await worker.instruments("SOL/USD")
    first = await served.http.get("/v1/instruments")
    await worker.instruments("BTC/USD")
    kept = await served.http.get("/v1/instruments")
    fresh = await served.http.get("/v1/instruments", headers={"Cache-Control": "no-cache"})
    outcomes = [response.headers["X-Cache"] for response in (first, kept, fresh)]
    assert ["miss", "hit", "bypass"] == outcomes
    assert (first.text, 2) == (kept.text, len(fresh.json()["data"]))


async def test_everything_is_answered_without_redis(
    settings: ApiSettings, postgres_url: str, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker, sol, (T, 1))
    async with serving(settings, postgres_url, FAR_AWAY) as served:
        for path in ("/v1/instruments", "/v1/trades?exchange=kraken", "/v1/signals"):
            response = await served.http.get(path)
            assert (200, "bypass") == (response.status_code, response.headers["X-Cache"])
        found = (await served.http.get("/health")).json()
    assert ("degraded", True, False) == (found["status"], found["database"], found["redis"])


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/trades", 422, "exchange"),
        ("/v1/trades?exchange=kraken&sybmol=SOL/USD", 422, "sybmol"),
        ("/v1/trades?exchange=kraken&from=yesterday", 422, "yesterday"),
        ("/v1/trades?exchange=kraken&symbol=SOL/USD&limit=9999", 422, "5000"),
        ("/v1/trades?exchange=kraken&symbol=SOL/USD&cursor=!", 422, "cursor"),
        ("/v1/trades?exchange=kraken&symbol=DOGE/USD", 404, "SOL/USD"),
        ("/v1/trades?exchange=mtgox", 404, "kraken"),
        ("/v1/bars?exchange=kraken&symbol=SOL/USD&interval=7m", 422, "interval"),
        ("/v1/signals?symbol=DOGE/USD", 404, "kraken"),
        ("/v2/trades", 404, "Not Found"),
    ],
)
async def test_a_refusal_says_what_where_and_what_to_do(
    served: Served, worker: Worker, path: str, status: int, said: str
) -> None:
    await worker.instruments("SOL/USD")
    response = await served.http.get(path)
    problem = response.json()
    assert (status, "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert said in problem["detail"]
    assert (path.partition("?")[0], True) == (problem["instance"], bool(problem["action"]))


@pytest.mark.parametrize(
    ("path", "where", "what"),
    [
        ("/v1/trades", "exchange", "required"),
        ("/v1/trades?exchange=kraken&limit=9999", "limit", "above 5000"),
        ("/v1/trades?exchange=kraken&limit=0", "limit", "greater than or equal to 1"),
        ("/v1/trades?exchange=kraken&cursor=!", "cursor", "give back `next` as it was"),
        ("/v1/signals?min_strength=1.5", "min_strength", "less than or equal to 1"),
        ("/v1/trades?exchange=kraken&format=xml", "format", "'csv'"),
        ("/v1/trades?exchange=kraken&exchange=binance", "exchange", "said 2 times"),
        ("/v1/trades?exchange=kraken&from=1733270402&to=1733270401", "to", "before from"),
        ("/v1/coverage?exchange=kraken&symbol=SOL/USD&from=1733270402&to=1733270402", "to", "nothing lies"),
    ],
)
async def test_a_refusal_names_the_parameter_and_its_bound(
    served: Served, worker: Worker, path: str, where: str, what: str
) -> None:
    await worker.instruments("SOL/USD")
    response = await served.http.get(path)
    (error,) = response.json()["errors"]
    assert (422, where) == (response.status_code, error["where"])
    assert what in error["what"]


async def test_what_may_be_repeated_is(served: Served) -> None:
    assert 200 == (await served.http.get("/v1/signals?kind=rsi&kind=flow")).status_code


async def test_head_is_answered_as_get_without_the_rest(served: Served, worker: Worker) -> None:
    await worker.instruments("SOL/USD")
    for path in ("/", "/health/live", "/v1/instruments", "/v1/trades"):
        got, head = await served.http.get(path), await served.http.head(path)
        assert (got.status_code, b"") == (head.status_code, head.content)


async def test_a_method_that_is_not_allowed_hears_which_are(served: Served) -> None:
    refused = await served.http.post("/v1/instruments")
    assert (405, "GET, HEAD") == (refused.status_code, refused.headers["allow"])


async def test_the_stream_asks_to_be_upgraded(served: Served) -> None:
    refused = await served.http.get("/v1/stream")
    assert (426, "websocket") == (refused.status_code, refused.headers["upgrade"])
    assert "ws://" in refused.json()["detail"]


async def test_a_cursor_of_another_history_is_refused(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker, sol, (T, 1), (T, 2))
    page = await served.get("/v1/trades", exchange="kraken", symbol="SOL/USD", limit=1)
    response = await served.http.get("/v1/signals", params={"cursor": page["next"]})
    assert 422 == response.status_code


async def test_health_and_metrics_tell_of_a_waiting_batch(served: Served, worker: Worker) -> None:
    await worker.connection.execute(
        "INSERT INTO batches VALUES (1, 1, 1, 12, '', clock_timestamp() - interval '1 hour')"
    )
    await worker.connection.execute(
        "INSERT INTO processes SELECT name, 'ingest', 'h', 1, now(), now(), NULL, $1::jsonb"
        " FROM unnest(ARRAY['a', 'b']) AS name",
        '{"feeds":{"kraken":{"trades":{"offered":9,"stored":4,"duplicates":2,"rejected":{"a":2,"b":1}}}}}',
    )
    await worker.connection.execute(
        "INSERT INTO processes SELECT name, 'worker-live', 'h', 1, now(), now(), NULL, $1::jsonb"
        " FROM unnest(ARRAY['c', 'd']) AS name",
        '{"ticks":9,"signals":{"momentum":2},"published":3,"publishing_seconds":0.25}',
    )
    found = (await served.http.get("/health")).json()
    measured = (await served.http.get("/metrics")).text
    assert ("degraded", 12) == (found["status"], found["queue"]["ticks"])
    assert "heliograph_batches_waiting 1.0" in measured
    for outcome, ticks in (("stored", 8), ("duplicates", 4), ("rejected", 6)):
        labels = f'exchange="kraken",kind="trades",outcome="{outcome}"'
        assert f"heliograph_ticks_total{{{labels}}} {ticks}.0" in measured
    assert 'heliograph_signals_total{kind="momentum"} 4.0' in measured
    assert "heliograph_published_total 6.0" in measured
    assert "heliograph_publishing_seconds_total 0.5" in measured


async def test_an_idle_api_is_live_and_ready(served: Served) -> None:
    assert 200 == (await served.http.get("/health/live")).status_code
    ready = await served.http.get("/health/ready")
    assert (200, "ok", False) == (ready.status_code, ready.json()["status"], ready.json()["simulated"])


async def test_the_description_names_every_route(served: Served) -> None:
    described = (await served.http.get("/openapi.json")).json()
    routes = {
        "/v1/instruments",
        "/v1/trades",
        "/v1/bars",
        "/v1/signals",
        "/health",
        "/health/live",
        "/metrics",
    }
    assert routes <= set(described["paths"])


async def test_pages_are_whole_while_rows_are_inserted(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker, sol, *((T + n // 4, n) for n in range(20)))
    asked: dict[str, str | int] = {"exchange": "kraken", "symbol": "SOL/USD", "limit": 3}
    page = await served.get("/v1/trades", **asked)
    seen = [int(row["trade_id"]) for row in page["data"]]
    inserted = iter(range(100, 200))
    while page["has_more"]:
        await add_trades(worker, sol, (T + 2, next(inserted)))
        page = await served.get("/v1/trades", **asked, cursor=page["next"])
        seen += [int(row["trade_id"]) for row in page["data"]]
    assert (list(range(20)), len(seen)) == ([number for number in seen if number < 100], len(set(seen)))
