"""``heliograph export``: what it writes can be imported again, and is the same then."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from db.connections import connected
from db.instruments import register
from db.partitions import day_of, ensure_days
from heliograph.cli import app
from market.errors import InvalidInputError, UnknownInstrumentError
from market.instruments import spot
from market.times import DAY, HOUR, from_iso

T = from_iso("2026-11-19T22:00:00Z")
Run = Callable[..., str]
CONTENT = {
    "trades": "SELECT * FROM trades ORDER BY ts, trade_id",
    "bars": "SELECT 1, bars::text FROM bars UNION ALL SELECT 2, bars_1h::text FROM bars_1h ORDER BY 1, 2",
    "signals": "SELECT signals::text FROM signals ORDER BY ts, kind",
}


async def _write(url: str) -> None:
    async with connected(url, "test") as connection:
        await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])
        await ensure_days(connection, [day_of(T), day_of(T + DAY)])
        trade = "INSERT INTO trades VALUES (1, $1, 1, $2, $3, 0.1 + 0.2, 1e-8, $2)"
        rows = [(n % 3 - 1, T + n * HOUR // 100, -7 if n == 5 else n) for n in range(300)]
        await connection.executemany(trade, rows)
        bar = "INSERT INTO bars VALUES (1, $1, $2, 1, 2, 0.5, 1.5, 10, 15, 6, 4, 3, 'live')"
        await connection.executemany(
            bar, [(length, T + n * HOUR) for n in range(3) for length in (1, 60, 300)]
        )
        await connection.execute(
            "INSERT INTO bars_1h SELECT 1, $1, 1, 2, 0.5, 1.5, 10, 15, 6, 4, 3, 'backfill'", T
        )
        signal = (
            "INSERT INTO signals (instrument_id, kind, version, ts, direction, strength, confidence, price,"
            " evidence, from_ts, to_ts, received_at, committed_at, parameters, first_ts, first_id) VALUES"
            " (1, $1, 1, $2, 'up', 0.5, 1, 10.5,"
            " '{\"rsi\": 71.25}', $2, $2, $2, $2, '{\"length\": 14}', $3, $4)"
        )
        await connection.executemany(signal, [("rsi", T, T, 7), ("flow", T + DAY, None, None)])


async def _fetch(url: str, sql: str) -> list[Any]:
    async with connected(url, "test") as connection:
        return [tuple(row) for row in await connection.fetch(sql)]


def fetch(url: str, sql: str) -> list[Any]:
    with asyncio.Runner() as runner:
        return runner.run(_fetch(url, sql))


@pytest.fixture
def run(postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", postgres_url)
    monkeypatch.setattr("os.nice", lambda _: 0)
    monkeypatch.chdir(tmp_path)
    with asyncio.Runner() as runner:
        runner.run(_write(postgres_url))

    def say(*arguments: str) -> str:
        given = ("--json", *arguments)
        command, rest = given[1], (*given[2:], given[0])
        done = CliRunner().invoke(app, [command, *rest], catch_exceptions=False, standalone_mode=False)
        return done.stdout

    return say


@pytest.mark.parametrize("format_", ["parquet", "csv", "arrow"])
def test_trades_are_equal_after_export_drop_and_import(run: Run, postgres_url: str, format_: str) -> None:
    before = fetch(postgres_url, CONTENT["trades"])
    written = json.loads(run("export", "trades", "kraken", "SOL/USD", "--format", format_))
    assert [("trades-kraken-SOL-USD-2026-11-19", 200), ("trades-kraken-SOL-USD-2026-11-20", 100)] == [
        (Path(each["file"]).stem, each["rows"]) for each in written
    ]
    fetch(postgres_url, "DROP TABLE trades_20261119, trades_20261120")
    of = ("--format", "generic", "--venue", "kraken", "--symbol", "SOL/USD")
    told = json.loads(run("import", *[each["file"] for each in written], *of))
    assert [200, 100] == [each["stored"] for each in told]
    assert before == fetch(postgres_url, CONTENT["trades"])


@pytest.mark.parametrize("noun", ["bars", "signals"])
@pytest.mark.parametrize("format_", ["parquet", "csv", "arrow"])
def test_what_was_computed_is_equal_after_export_loss_and_import(
    run: Run, postgres_url: str, noun: str, format_: str
) -> None:
    before = fetch(postgres_url, CONTENT[noun])
    files = [
        each["file"] for each in json.loads(run("export", noun, "kraken", "SOL/USD", "--format", format_))
    ]
    fetch(postgres_url, "TRUNCATE bars, bars_1h, signals")
    of = ("--format", noun, "--venue", "kraken", "--symbol", "SOL/USD")
    told = [json.loads(run("import", *files, *of)) for _ in range(2)]
    assert [len(before), 0] == [sum(each["stored"] for each in one) for one in told]
    assert before == fetch(postgres_url, CONTENT[noun])


def test_a_day_is_cut_where_it_is_asked_to_be(run: Run, tmp_path: Path) -> None:
    cut = ("--from", "2026-11-19T23:00:00Z", "--to", "2026-11-19T23:30:00Z")
    [told] = json.loads(run("export", "trades", "kraken", "SOL/USD", *cut))
    read = pq.read_table(tmp_path / told["file"])
    assert (50, 50) == (told["rows"], read.num_rows)
    assert {"kraken"} == set(read["exchange"].to_pylist())


def test_a_dry_run_writes_nothing(run: Run, tmp_path: Path) -> None:
    told = json.loads(run("export", "trades", "kraken", "SOL/USD", "--dry-run"))
    assert [200, 100] == [each["rows"] for each in told]
    assert [] == list(tmp_path.iterdir())


def test_a_file_that_is_there_is_overwritten_only_if_asked(run: Run, tmp_path: Path) -> None:
    run("export", "trades", "kraken", "SOL/USD")
    with pytest.raises(InvalidInputError, match="--overwrite writes it anew"):
        run("export", "trades", "kraken", "SOL/USD")
    run("export", "trades", "kraken", "SOL/USD", "--overwrite")
    assert 2 == len(list(tmp_path.iterdir()))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("trade", "kraken", "SOL/USD"), InvalidInputError),
        (("trades", "kraken", "SOL/USD", "--format", "parket"), InvalidInputError),
        (("trades", "kraken", "BTC/USD"), UnknownInstrumentError),
    ],
)
def test_what_cannot_be_exported_is_refused(
    run: Run, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        run("export", *arguments)
