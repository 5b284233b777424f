"""Quotes, depths, feeds, and jobs over REST, and what narrows a list."""

import pytest

from db import feeds, jobs
from db.feeds import WantedFeed
from market.times import DAY, HOUR, MINUTE
from tests.api.holes import find
from tests.api.peers import Served, Worker
from tests.api.ticks import T, add_bars, add_depths, add_quotes, add_signals, add_trades, unpartitioned


@pytest.fixture(autouse=True)
async def _ticks_of_any_day(worker: Worker) -> None:
    await unpartitioned(worker.connection)


async def test_a_quote_comes_back_as_it_was_without_a_size_that_is_not_told(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await add_quotes(worker.connection, sol, (T, 9_007_199_254_740_993))
    [quote] = (await served.get("/v1/quotes", exchange="kraken", symbol="SOL/USD"))["data"]
    assert quote == {
        "exchange": "kraken",
        "symbol": "SOL/USD",
        "ts": "2024-12-04T00:00:00.000000Z",
        "update_id": "9007199254740993",
        "bid_price": 10.5,
        "bid_size": 2.0,
        "ask_price": 10.75,
        "ask_size": None,
        "received_at": "2024-12-04T00:00:00.000000Z",
    }


async def test_a_depth_comes_back_with_its_levels_best_first(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await add_depths(worker.connection, sol, (T, 1))
    [depth] = (await served.get("/v1/depth", exchange="kraken", symbol="SOL/USD"))["data"]
    assert ([[10.5, 2.0], [10.0, 1e-8]], [[10.75, 3.0]]) == (depth["bids"], depth["asks"])


@pytest.mark.parametrize("route", ["trades", "quotes", "depth"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("which", [("SOL/USD", 10), ("*/USD", 20), (None, 30)])
async def test_pages_of_ticks_join_without_hole_or_repeat(
    served: Served, worker: Worker, route: str, order: str, which: tuple[str | None, int]
) -> None:
    symbol, rows = which
    add = {"trades": add_trades, "quotes": add_quotes, "depth": add_depths}[route]
    for listed in await worker.instruments("SOL/USD", "BTC/USD", "SOL/EUR"):
        await add(worker.connection, listed, *((T + n // 3, n) for n in range(10)))
    asked: dict[str, str | int] = {"exchange": "kraken", "order": order, "limit": 3}
    asked |= {"symbol": symbol} if symbol else {}
    page = await served.get(f"/v1/{route}", **asked)
    found = page["data"]
    while page["has_more"]:
        page = await served.get(f"/v1/{route}", **asked, cursor=page["next"])
        found += page["data"]
    id_name = "trade_id" if route == "trades" else "update_id"
    assert rows == len({(row["symbol"], row[id_name]) for row in found}) == len(found)
    assert sorted((row["ts"] for row in found), reverse=order == "desc") == [row["ts"] for row in found]


async def test_bars_of_several_symbols_are_read_by_a_pattern(served: Served, worker: Worker) -> None:
    sol, btc, euro = await worker.instruments("SOL/USD", "BTC/USD", "SOL/EUR")
    for listed in (sol, btc, euro):
        await add_bars(worker.connection, listed, T, T + MINUTE)
    asked = {"exchange": "kraken", "symbol": "SOL/*"}
    page = await served.get("/v1/bars", **asked, limit=3)
    rest = await served.get("/v1/bars", **asked, limit=3, cursor=page["next"])
    found = [(row["start"][14:16], row["symbol"]) for row in page["data"] + rest["data"]]
    assert [("00", "SOL/EUR"), ("00", "SOL/USD"), ("01", "SOL/EUR"), ("01", "SOL/USD")] == found


@pytest.mark.parametrize(
    ("asked", "symbols"),
    [
        ({"symbol": "SOL/*"}, ["SOL/EUR", "SOL/USD", "SOL/USD"]),
        ({"symbol": "*/USD", "exchange": "kraken"}, ["BTC/USD", "SOL/USD"]),
        ({"symbol": "SOL/USD"}, ["SOL/USD", "SOL/USD"]),
        ({"symbol": "S*U*D"}, ["SOL/USD", "SOL/USD"]),
        ({"symbol": "[S]OL/USD*"}, []),
        ({"symbol": "?OL/USD*"}, []),
        ({"symbol": "*"}, ["BTC/USD", "SOL/EUR", "SOL/USD", "SOL/USD"]),
    ],
)
async def test_a_star_stands_for_any_part_of_a_symbol(
    served: Served, worker: Worker, asked: dict[str, str], symbols: list[str]
) -> None:
    await worker.instruments("SOL/USD", "BTC/USD", "SOL/EUR")
    await worker.instruments("SOL/USD", exchange="coinbase")
    found = (await served.get("/v1/instruments", **asked))["data"]
    assert symbols == sorted(row["symbol"] for row in found)


async def test_signals_are_narrowed_to_the_strong_ones_whichever_way_they_point(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    for ts, strength in ((T, 0.25), (T + 1, -0.75), (T + 2, 0.75)):
        await add_signals(worker.connection, sol, ("rsi", ts), strength=strength)
    strong = (await served.get("/v1/signals", min_strength="0.5"))["data"]
    assert [-0.75, 0.75] == [row["strength"] for row in strong]


async def test_feeds_are_read_by_everybody_without_where_they_are_reached(
    served: Served, worker: Worker
) -> None:
    wanted = [
        WantedFeed(exchange="kraken", symbol="SOL/USD", stream_url="wss://10.0.0.7:9443"),
        WantedFeed(exchange="binance", symbol="BTC/USDT"),
    ]
    await feeds.offer(worker.connection, wanted)
    [row] = [row for row in await feeds.feeds(worker.connection) if row.exchange == "kraken"]
    await feeds.close(worker.connection, row.feed_id, "nobody is at wss://10.0.0.7:9443, or at ws://[::1]:1")
    every = await served.get("/v1/feeds")
    closed = (await served.http.get("/v1/feeds?state=closed&symbol=SOL/*")).text
    assert [("binance", "active"), ("kraken", "closed")] == [
        (feed["exchange"], feed["state"]) for feed in every["data"]
    ]
    assert ("10.0.0.7" in closed, "[::1]" in closed, "nobody is at its address" in closed) == (
        False,
        False,
        True,
    )


async def test_pages_of_feeds_join(served: Served, worker: Worker) -> None:
    wanted = [WantedFeed(exchange="kraken", symbol=f"{base}/USD") for base in ("A", "B", "C")]
    await feeds.offer(worker.connection, wanted)
    page = await served.get("/v1/feeds", limit=2, order="desc")
    rest = await served.get("/v1/feeds", limit=2, order="desc", cursor=page["next"])
    assert ["C/USD", "B/USD", "A/USD"] == [row["symbol"] for row in page["data"] + rest["data"]]


async def test_jobs_tell_piece_by_piece_what_became_of_them(served: Served, worker: Worker) -> None:
    sol, btc = await worker.instruments("SOL/USD", "BTC/USD")
    gap = await find(worker.connection, sol, 0, 60, after_id=1, before_id=5)
    await jobs.enqueue_recent(worker.connection, btc.instrument_id, T + DAY, T + DAY + HOUR)
    await worker.connection.execute(
        "UPDATE chunks SET attempts = 3, detail = 'no answer', leased_by = 'h',"
        " leased_until = clock_timestamp() + interval '1 minute' WHERE gap_id = $1",
        gap.gap_id,
    )
    heal, recent = (await served.get("/v1/jobs"))["data"]
    assert ("heal", gap.gap_id, "running", "SOL/USD", 3, "no answer") == (
        heal["kind"],
        heal["gap_id"],
        heal["state"],
        heal["symbol"],
        heal["tries"],
        heal["error"],
    )
    assert ("recent", None, "waiting") == (recent["kind"], recent["gap_id"], recent["state"])
    for asked in ({"kind": "recent"}, {"state": "waiting"}, {"from": str(T + DAY)}, {"symbol": "BTC/*"}):
        assert [recent] == (await served.get("/v1/jobs", **asked))["data"]
