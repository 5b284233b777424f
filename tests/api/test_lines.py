"""Lists as lines: NDJSON and CSV hold what the pages of JSON hold."""

import csv
import io
import json
from typing import Any

import httpx
import pytest

from api.lines import Format, chosen
from db import feeds, jobs
from db.feeds import WantedFeed
from market.times import MINUTE
from tests.api.holes import find, prove
from tests.api.peers import WITHIN_SECONDS, Served, Worker
from tests.api.ticks import T, add_bars, add_depths, add_quotes, add_signals, add_trades, unpartitioned

TICKS = "exchange=kraken&symbol=SOL/USD"
LISTS = {
    "instruments": "",
    "trades": TICKS,
    "quotes": TICKS,
    "depth": TICKS,
    "bars": TICKS,
    "signals": "",
    "gaps": "",
    "feeds": "",
    "jobs": "",
}


@pytest.fixture
async def filled(served: Served, worker: Worker) -> Served:
    """Return an API with something in every list."""
    connection = worker.connection
    await unpartitioned(connection)
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    places = [(T + n // 3, n) for n in range(10)]
    await add_trades(connection, sol, *places)
    await add_quotes(connection, sol, *places)
    await add_depths(connection, sol, *places)
    await add_bars(connection, sol, *(T + n * MINUTE for n in range(5)))
    await add_signals(connection, sol, *(("rsi", T + n) for n in range(5)))
    await find(connection, sol, 0, 60, after_id=1, before_id=5, detail='a "quoted", reason')
    await jobs.enqueue_recent(connection, btc.instrument_id, T, T + MINUTE)
    await feeds.offer(connection, [WantedFeed(exchange="kraken", symbol="SOL/USD")])
    return served


def cell(value: object) -> str:
    """Return what a value of JSON is in CSV."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def same(cells: dict[str, str], row: dict[str, Any]) -> bool:
    """Tell whether a line of CSV says what a row of JSON says; numbers are equal as numbers."""
    return list(cells) == list(row) and all(
        cells[name] == cell(value) or (isinstance(value, float) and float(cells[name]) == value)
        for name, value in row.items()
    )


@pytest.mark.parametrize("noun", LISTS)
async def test_every_list_has_its_twins(filled: Served, noun: str) -> None:
    path = f"/v1/{noun}?{LISTS[noun]}"
    rows = (await filled.http.get(path)).json()["data"]
    lines = await filled.http.get(f"{path}&format=ndjson")
    table = await filled.http.get(f"{path}&format=csv")
    assert rows
    assert rows == [json.loads(line) for line in lines.text.splitlines()]
    cells = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert [True] * len(rows) == [same(*each) for each in zip(cells, rows, strict=True)]
    assert ("application/x-ndjson", "text/csv; charset=utf-8; header=present") == (
        lines.headers["content-type"],
        table.headers["content-type"],
    )


async def test_a_table_without_rows_still_names_its_fields(served: Served, worker: Worker) -> None:
    await worker.instruments("SOL/USD")
    table = (await served.http.get(f"/v1/quotes?{TICKS}&format=csv")).text
    assert "exchange,symbol,ts,update_id,bid_price,bid_size,ask_price,ask_size,received_at\r\n" == table


async def test_lines_reach_over_all_pages_or_as_far_as_is_asked(served: Served, worker: Worker) -> None:
    await unpartitioned(worker.connection)
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker.connection, sol, *((T + n // 7, n) for n in range(2500)))
    for more, ids in (
        ("", range(2500)),
        ("&order=desc", range(2499, -1, -1)),
        ("&limit=1700", range(1700)),
        (f"&from={T + 1}&to={T + 200}", range(7, 1400)),
    ):
        lines = (await served.http.get(f"/v1/trades?{TICKS}&format=ndjson{more}")).text.splitlines()
        assert [str(each) for each in ids] == [json.loads(line)["trade_id"] for line in lines]


async def test_lines_go_on_from_a_cursor(filled: Served) -> None:
    page = (await filled.http.get(f"/v1/trades?{TICKS}&limit=4")).json()
    rest = await filled.http.get(f"/v1/trades?{TICKS}&format=ndjson&cursor={page['next']}")
    assert ["4", "5", "6", "7", "8", "9"] == [json.loads(line)["trade_id"] for line in rest.text.splitlines()]


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ("", "*/*", "application/json"),
        ("", "text/csv", "text/csv; charset=utf-8; header=present"),
        ("", "application/x-ndjson, application/json;q=0.5", "application/x-ndjson"),
        ("format=json", "text/csv", "application/json"),
        ("format=csv", "application/json", "text/csv; charset=utf-8; header=present"),
    ],
)
async def test_the_parameter_wins_over_what_is_accepted(
    filled: Served, query: str, accept: str, media_type: str
) -> None:
    response = await filled.http.get(f"/v1/instruments?{query}", headers={"Accept": accept})
    assert (media_type, "Accept") == (response.headers["content-type"], response.headers["vary"])


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("", Format.JSON),
        ("text/html,*/*;q=0.8", Format.JSON),
        ("text/csv;q=0.2, application/json;q=0.1", Format.CSV),
        ("text/csv;q=0, application/ndjson", Format.NDJSON),
        ("text/csv;q=much", Format.JSON),
        ("image/png", Format.JSON),
    ],
)
def test_what_is_accepted_most_is_chosen(accept: str, format_: Format) -> None:
    assert format_ == chosen(None, accept)


async def test_what_is_wrong_with_a_question_is_told_before_the_lines_begin(
    served: Served, worker: Worker
) -> None:
    await worker.instruments("SOL/USD")
    for more, status in (("symbol=DOGE/USD", 404), ("cursor=!", 422), ("limit=0", 422)):
        refused = await served.http.get(f"/v1/trades?exchange=kraken&format=csv&{more}")
        assert (status, "application/problem+json") == (
            refused.status_code,
            refused.headers["content-type"],
        )


async def test_lines_that_break_off_are_seen_to(served: Served, worker: Worker) -> None:
    await unpartitioned(worker.connection)
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker.connection, sol, *((T + n, n) for n in range(60_000)))
    async with (
        httpx.AsyncClient(base_url=served.url, timeout=WITHIN_SECONDS) as http,
        http.stream("GET", f"/v1/trades?{TICKS}&format=ndjson") as response,
    ):
        chunks = response.aiter_raw(1000)
        await anext(chunks)
        await worker.connection.execute("DROP TABLE trades CASCADE")
        with pytest.raises(httpx.RemoteProtocolError):
            async for _ in chunks:
                pass


async def test_the_head_of_lines_walks_nowhere(filled: Served) -> None:
    head = await filled.http.head(f"/v1/trades?{TICKS}&format=csv")
    assert (200, b"") == (head.status_code, head.content)


async def test_a_page_says_how_far_it_is_proven(filled: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await prove(worker.connection, sol, 0, 90)
    fresh = {"Cache-Control": "no-cache"}
    for range_, coverage in (("from=1733270460&to=1733270480", 1.0), ("from=1733270400&to=1733270520", 0.25)):
        page = (await filled.http.get(f"/v1/trades?{TICKS}&{range_}", headers=fresh)).json()
        lines = await filled.http.get(f"/v1/trades?{TICKS}&{range_}&format=ndjson")
        assert (pytest.approx(coverage, abs=0.01), coverage < 1) == (page["coverage"], page["partial"])
        assert (str(page["coverage"]), str(page["partial"]).lower()) == (
            lines.headers["x-coverage"],
            lines.headers["x-partial"],
        )


async def test_of_quotes_nothing_says_how_far_they_are_proven(filled: Served) -> None:
    page = (await filled.http.get(f"/v1/quotes?{TICKS}")).json()
    assert (None, None) == (page["coverage"], page["partial"])


async def test_coverage_is_told_part_by_part(filled: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await prove(worker.connection, sol, 0, 90)
    asked = f"/v1/coverage?{TICKS}&from=1733270400&to=1733270520&format="
    parts = await filled.http.get(asked + "ndjson")
    table = await filled.http.get(asked + "csv")
    found = [json.loads(line) for line in parts.text.splitlines()]
    assert [("00:00", "01:00", False), ("01:00", "01:30", True), ("01:30", "02:00", False)] == [
        (row["from_ts"][14:19], row["to_ts"][14:19], row["proven"]) for row in found
    ]
    assert [list(found[0]), ["true"]] == [
        table.text.splitlines()[0].split(","),
        [table.text.splitlines()[2].rpartition(",")[2]],
    ]
    assert ("0.25", "true") == (parts.headers["x-coverage"], parts.headers["x-partial"])
