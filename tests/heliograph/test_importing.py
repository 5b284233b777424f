"""``heliograph import``: files into the tape, once, whole chunks, and what is refused is told."""

import asyncio
import csv
import gzip
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner

from db import dirty, gaps, imports, proofs
from db.asked import NewPiece, enqueue_backfill
from db.chunks import Lease
from db.connections import connected
from db.history import jobs
from db.history.windows import Window
from db.instruments import listed, register
from heliograph.cli import app
from ingest.files import importing
from ingest.naming import instrument_named
from market.coverage import Interval
from market.errors import InvalidInputError, StoreBusyError, StoreConflictError, StoreUnavailableError
from market.gaps import HEALED_BY_ITSELF, Cause, Finding, GapState
from market.times import SECOND

FROM = 1_700_000_000_000
Run = Callable[..., str]
Value = TypeVar("Value")


def vision(ids: range, *, ms: int = 10) -> list[str]:
    return [f"{n},4.5,1.{n % 10}1,1,{FROM + n * ms},True,True" for n in ids]


def written(folder: Path, rows: list[str], name: str = "BTCUSDT-trades.csv.gz") -> str:
    (folder / name).write_bytes(gzip.compress("\n".join(rows).encode()))
    return str(folder / name)


@pytest.fixture
def run(postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", postgres_url)
    monkeypatch.setattr("os.nice", lambda _: 0)
    monkeypatch.chdir(tmp_path)

    def say(*arguments: str) -> str:
        outcome = CliRunner().invoke(app, arguments, catch_exceptions=False, standalone_mode=False)
        return outcome.stdout

    return say


def imported(run: Run, file: str, *more: str) -> dict[str, Any]:
    asked = ("--format", "binance-vision", "--venue", "binance", "--symbol", "BTC/USDT", "--json")
    [told] = json.loads(run("import", file, *asked, *more))
    return dict(told)


def fetch(url: str, sql: str) -> list[Any]:
    async def ask() -> list[Any]:
        async with connected(url, "test") as connection:
            return [tuple(row) for row in await connection.fetch(sql)]

    return _await(ask)


def _await(work: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
    with asyncio.Runner() as runner:
        return runner.run(work())


def test_a_second_import_finds_every_trade_known(run: Run, postgres_url: str, tmp_path: Path) -> None:
    file = written(tmp_path, vision(range(1, 2501)))
    first, second = imported(run, file), imported(run, file)
    assert (2500, 2500, 0, 0) == tuple(first[each] for each in ("rows", "stored", "duplicates", "rejected"))
    assert (2500, 0, 2500, 0) == tuple(second[each] for each in ("rows", "stored", "duplicates", "rejected"))
    assert [(2500,)] == fetch(postgres_url, "SELECT count(*) FROM trades")
    assert [("import", "done", 2)] == fetch(
        postgres_url, "SELECT kind, state, count(*) FROM jobs GROUP BY 1, 2"
    )


def test_what_it_stores_is_to_be_computed_and_is_covered(run: Run, postgres_url: str, tmp_path: Path) -> None:
    imported(run, written(tmp_path, vision(range(1, 2501))))
    from_us, to_us = (FROM + 10) * 1000, (FROM + 25_000) * 1000

    async def covered() -> list[Interval]:
        async with connected(postgres_url, "test") as connection:
            [instrument] = await listed(connection)
            found = await proofs.read_coverage(connection, [instrument.instrument_id], "trades", 0, 2**52)
        return list(found[instrument.instrument_id].intervals(0, 2**52))

    assert [(from_us + 1, to_us)] == _await(covered)
    [(low, high)] = fetch(postgres_url, "SELECT min(from_ts), max(to_ts) FROM dirty")
    assert low <= from_us
    assert to_us + 1 == high


def test_broken_rows_are_named_and_the_others_are_in(run: Run, tmp_path: Path) -> None:
    rows = vision(range(1, 1001))
    for line in range(50, 1000, 100):
        rows[line] = rows[line].replace("4.5", "broken")
    told = imported(run, written(tmp_path, rows))
    assert (1000, 990, 10) == (told["rows"], told["stored"], told["rejected"])
    with (tmp_path / told["rejects"]).open() as file:
        rejected = list(csv.DictReader(file))
    assert [str(line + 1) for line in range(50, 1000, 100)] == [each["line"] for each in rejected]
    assert {"price 'broken' is not a number"} == {each["reason"] for each in rejected}
    assert rows[50] == rejected[0]["row"]


def test_rejects_of_several_files_are_kept_together(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    files = [written(folder, [*vision(range(1, 3)), "broken"]) for folder in (tmp_path, tmp_path / "other")]
    asked = ("--format", "binance-vision", "--venue", "binance", "--symbol", "BTC/USDT", "--json")
    told = json.loads(run("import", *files, *asked, "--rejects", "all.csv"))
    assert ["all.csv"] * 2 == [each["rejects"] for each in told]
    told = json.loads(run("import", *files, *asked))
    for kept in ("all.csv", told[1]["rejects"]):
        with (tmp_path / kept).open() as file:
            assert ["3", "3"] == [each["line"] for each in csv.DictReader(file)]


def test_a_dry_run_reads_every_row_and_writes_nothing(run: Run, postgres_url: str, tmp_path: Path) -> None:
    told = imported(run, written(tmp_path, [*vision(range(1, 2000)), "broken"]), "--dry-run")
    assert (2000, 1, True) == (told["rows"], told["rejected"], told["dry_run"])
    assert [(0, 0, 0)] == fetch(
        postgres_url,
        "SELECT (SELECT count(*) FROM instruments), (SELECT count(*) FROM jobs), "
        "(SELECT count(*) FROM trades)",
    )


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (["a,b", "c,d"], "has no column"),
        ([], "holds no rows"),
        (["1,2,3,4,soon,True,True"], "can be read: time"),
    ],
)
def test_a_file_of_something_else_is_refused_before_anything_is_written(
    run: Run, postgres_url: str, tmp_path: Path, rows: list[str], why: str
) -> None:
    with pytest.raises(InvalidInputError, match=why):
        imported(run, written(tmp_path, rows))
    assert [(0,)] == fetch(postgres_url, "SELECT count(*) FROM instruments")


def test_an_unknown_symbol_is_refused_with_what_was_meant(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="did you mean BTC/USDT"):
        imported(run, written(tmp_path, vision(range(1, 9))), "--symbol", "BTCUSDT")


def test_an_import_that_was_cut_off_goes_on_after_its_last_page(
    run: Run, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, [*vision(range(1, 1500)), "broken", *vision(range(1500, 3501))])
    stored = imports.store
    pages: list[Any] = []

    async def cut_off(*arguments: Any) -> int:
        if len(pages) == 2:
            message = "cut off"
            raise StoreUnavailableError(message)
        pages.append(arguments)
        return await stored(*arguments)

    monkeypatch.setattr(imports, "store", cut_off)
    with pytest.raises(StoreUnavailableError):
        imported(run, file)
    monkeypatch.setattr(imports, "store", stored)
    told = imported(run, file)
    assert (3501, 3500, 1, 2000) == tuple(told[each] for each in ("rows", "stored", "rejected", "skipped"))
    assert [("done", 3500)] == fetch(
        postgres_url, "SELECT jobs.state, chunks.stored FROM jobs JOIN chunks USING (job_id)"
    )
    assert [(2,)] == fetch(postgres_url, "SELECT count(*) FROM proofs")


def test_two_do_not_import_one_file_at_once(run: Run, postgres_url: str, tmp_path: Path) -> None:
    file = written(tmp_path, vision(range(1, 10)))
    imported(run, file)
    mark = f"{importing.digest(Path(file))}/binance-vision:"

    async def beside() -> None:
        async with connected(postgres_url, "test") as connection:
            [instrument] = await listed(connection)
            lease = Lease("another", 60.0)
            await imports.begin(connection, instrument, lease, mark=mark, name="file", from_ts=0)
            with pytest.raises(StoreConflictError, match="being imported already"):
                await asyncio.to_thread(imported, run, file)

    _await(beside)


def test_a_file_without_ids_adds_what_is_not_there_by_another_road(
    run: Run, postgres_url: str, tmp_path: Path
) -> None:
    numbered = [
        "ts,trade_id,price,size,side",
        "1700000001.25,7,4.5,1.5,buy",
        "1700000001.75,8,4.5,1.5,sell",
        "1700000002.5,9,4.5,2.5,buy",
    ]
    plain = ["1700000001,4.5,1.5"] * 3 + ["1700000002,4.5,2.5", "1700000003,4.5,2.5"]
    of = ("--venue", "kraken", "--symbol", "BCH/EUR", "--json")
    run("import", written(tmp_path, numbered, "a.csv.gz"), "--format", "generic", *of)
    told = [
        json.loads(run("import", written(tmp_path, plain, "b.csv.gz"), "--format", "kraken-csv", *of))[0]
        for _ in range(2)
    ]
    assert [(2, 3), (0, 5)] == [(each["stored"], each["duplicates"]) for each in told]
    assert [(5,)] == fetch(postgres_url, "SELECT count(*) FROM trades")


PLAIN = ("--format", "kraken-csv", "--venue", "kraken", "--symbol", "BCH/EUR", "--json")


def test_a_file_without_ids_is_refused_where_a_backfill_is_to_tell_its_trades(
    run: Run, postgres_url: str, tmp_path: Path
) -> None:
    async def ask() -> None:
        async with connected(postgres_url, "test") as connection:
            [one] = (await register(connection, [instrument_named("kraken", "BCH/EUR")])).values()
            span = 1_700_000_000 * SECOND, 1_700_000_010 * SECOND
            await enqueue_backfill(connection, *span, [NewPiece(one.instrument_id, *span, 10)])

    _await(ask)
    with pytest.raises(StoreBusyError, match="the range of a backfill"):
        run("import", written(tmp_path, ["1700000001,4.5,1.5"]), *PLAIN)
    assert [(0,)] == fetch(postgres_url, "SELECT count(*) FROM trades")
    assert not json.loads(run("import", written(tmp_path, ["1700000010,4.5,1.5"]), *PLAIN))[0]["duplicates"]


@pytest.mark.parametrize(("begins", "state"), [(-1, "closed"), (1, "open")])
def test_a_gap_that_nobody_heals_is_closed_by_the_file_that_holds_all_of_it(
    run: Run, postgres_url: str, tmp_path: Path, begins: int, state: str
) -> None:
    from_ts, to_ts = 1_700_000_000 * SECOND, 1_700_000_001 * SECOND + HEALED_BY_ITSELF

    async def open_() -> None:
        async with connected(postgres_url, "test") as connection:
            [one] = (await register(connection, [instrument_named("kraken", "BCH/EUR")])).values()
            gap = Finding(
                instrument_id=one.instrument_id,
                kind="trades",
                cause=Cause.DOWNTIME,
                state=GapState.OPEN,
                from_ts=from_ts,
                to_ts=to_ts,
            )
            async with connection.transaction():
                await gaps.record(connection, [gap])

    _await(open_)
    rows = [f"{from_ts // SECOND + begins},4.5,1.5", f"{to_ts // SECOND},4.5,1.5"]
    run("import", written(tmp_path, rows), *PLAIN)
    assert [(state,)] == fetch(postgres_url, "SELECT state FROM gaps")


def test_a_gap_is_closed_by_the_files_that_tell_all_its_ids(
    run: Run, postgres_url: str, tmp_path: Path
) -> None:
    imported(run, written(tmp_path, [*vision(range(1, 4)), *vision(range(8, 10))], "a.csv.gz"))

    async def open_() -> None:
        async with connected(postgres_url, "test") as connection:
            [one] = await listed(connection)
            gap = Finding(
                instrument_id=one.instrument_id,
                kind="trades",
                cause=Cause.SEQUENCE,
                state=GapState.UNRECOVERABLE,
                from_ts=(FROM + 30) * 1000,
                to_ts=(FROM + 80) * 1000,
                after_id=3,
                before_id=8,
            )
            async with connection.transaction():
                await gaps.record(connection, [gap])

    _await(open_)
    imported(run, written(tmp_path, vision(range(4, 6)), "b.csv.gz"))
    assert [("unrecoverable",)] == fetch(postgres_url, "SELECT state FROM gaps")
    imported(run, written(tmp_path, vision(range(6, 8)), "c.csv.gz"))
    assert [("closed", "imported")] == fetch(postgres_url, "SELECT state, detail FROM gaps")


@pytest.mark.parametrize("name", ["XRP_ETH-trades.json.gz", "XRP_OLD-trades.json.gz"])
def test_recorded_aggregates_are_refused(run: Run, recordings: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="aggregated trades of Binance"):
        imported(run, str(recordings / "freqtrade" / name), "--symbol", "XRP/ETH", "--format", "generic")


def test_a_recorded_file_of_kraken_is_stored_once(run: Run, recordings: Path) -> None:
    file = recordings / "freqtrade" / "kraken" / "trades_csv" / "BCHEUR.csv"
    of = ("--format", "kraken-csv", "--venue", "kraken", "--symbol", "BCH/EUR", "--json")
    told = [json.loads(run("import", str(file), *of))[0] for _ in range(2)]
    assert [(148, 0), (0, 148)] == [(each["stored"], each["duplicates"]) for each in told]


def test_the_job_is_listed_with_its_chunk(run: Run, postgres_url: str, tmp_path: Path) -> None:
    imported(run, written(tmp_path, vision(range(1, 100))))

    async def read() -> list[jobs.StoredChunk]:
        async with connected(postgres_url, "test") as connection:
            [instrument] = await listed(connection)
            assert not await dirty.cursors(connection)
            wanted = jobs.Filters(instrument_ids=[instrument.instrument_id], kinds=["import"])
            return await jobs.read(connection, Window(limit=10), wanted)

    [chunk] = _await(read)
    assert ("done", 99, (FROM + 10) * 1000, (FROM + 990) * 1000 + 1) == (
        chunk.state,
        chunk.stored,
        chunk.from_ts,
        chunk.to_ts,
    )


def test_before_each_page_it_waits_for_live_that_lags(run: Run, postgres_url: str, tmp_path: Path) -> None:
    lags = "INSERT INTO batches VALUES (0, 0, 1, 1, '', clock_timestamp() - interval '1 hour') RETURNING 1"
    assert [(1,)] == fetch(postgres_url, lags)
    first = imported(run, written(tmp_path, vision(range(1, 1501))))
    fetch(postgres_url, "DELETE FROM batches RETURNING 1")
    second = imported(run, written(tmp_path, vision(range(1501, 1601)), "later.csv.gz"))
    assert 2 <= first["yielded_seconds"]
    assert (1500, 100, 0) == (first["stored"], second["stored"], second["yielded_seconds"])
