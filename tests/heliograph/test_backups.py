"""What is backed up while it changes is restored into an empty server, equal, and verified."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import typer

from db import audit, migrating
from db.connections import connected
from db.instruments import listed, register
from db.partitions import day_of, ensure_days
from heliograph import backups
from market.errors import HeliographError, InvalidInputError, StackError, StoreError
from market.instruments import spot
from tests.conftest import execute, run_aside, url_of
from tests.workers.market import BEGAN, Market, claim_all, new_claimer, tape
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.verifying import Verifier

pytestmark = pytest.mark.slow

EMPTY = "empty_for_restore"


async def fill(url: str) -> None:
    """Have a market's ticks stored and folded."""
    async with connected(url, "test") as connection:
        found = await register(connection, [spot("binance", "SOL", "USDT", "SOLUSDT")])
        await ensure_days(connection, [day_of(BEGAN)])
        market = Market(url, connection, list(found.values()))
        async with market.writing() as writer, market.working() as working:
            await writer.store(tape(market.ids[0], 3000))
            await claim_all(new_claimer(), working)


async def verify(url: str) -> tuple[int, int, list[str]]:
    """Return how many bars were computed again, how many rows are not as computed, and what was audited."""
    async with connected(url, "test") as connection:
        [one] = await listed(connection)
        made = await Verifier(connection, Folder(KINDS)).verify(one, BEGAN, BEGAN + 100_000_000)
        audited = [each.actor.partition(" by ")[2] for each in await audit.entries(connection, None, 9)]
    return made.bars, len(made.differences), audited


@pytest.fixture
def empty_url(postgres_template: str) -> Iterator[str]:
    run_aside(lambda: execute(postgres_template, f"CREATE DATABASE {EMPTY}"))
    yield url_of(postgres_template, EMPTY)
    run_aside(lambda: execute(postgres_template, f"DROP DATABASE {EMPTY} WITH (FORCE)"))


def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Path:
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", url)
    backups.backup(tmp_path / "saved", None)
    return tmp_path / "saved"


def test_a_backup_is_restored_equal_and_verified(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    postgres_url: str,
    empty_url: str,
) -> None:
    run_aside(lambda: fill(postgres_url))
    folder = saved(tmp_path, monkeypatch, postgres_url)
    run_aside(lambda: execute(postgres_url, "DELETE FROM bars"))
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", empty_url)
    backups.restore(folder, None, dry_run=True)
    backups.restore(folder, None, dry_run=False)
    assert "restored, and equal: " in capsys.readouterr().out
    found: list[tuple[int, int, list[str]]] = []

    async def look() -> None:
        found.append(await verify(empty_url))

    run_aside(look)
    [(bars, differences, audited)] = found
    assert bars >= 100
    assert (0, ["heliograph restore"]) == (differences, audited)


def test_a_database_with_a_part_of_a_backup_is_not_taken_for_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str, empty_url: str
) -> None:
    folder = saved(tmp_path, monkeypatch, postgres_url)
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", empty_url)
    [largest] = sorted((folder / "dump").glob("*.dat*"), key=lambda file: file.stat().st_size)[-1:]
    largest.write_bytes(b"")
    with pytest.raises(StackError):
        backups.restore(folder, None, dry_run=False)
    with pytest.raises(StoreError, match="a part of a backup"):
        run_aside(lambda: migrating.migrate(empty_url, 8))


def test_a_backup_is_restored_into_a_folder_for_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], postgres_url: str
) -> None:
    run_aside(lambda: fill(postgres_url))
    folder = saved(tmp_path, monkeypatch, postgres_url)
    new = tmp_path / "new"
    backups.restore(folder, new, dry_run=True)
    assert "would be restored: " in capsys.readouterr().out
    assert not new.exists()
    try:
        backups.restore(folder, new, dry_run=False)
        assert "restored, and equal: " in capsys.readouterr().out
        with pytest.raises(StackError, match="has tables already"):
            backups.restore(folder, new, dry_run=False)
    finally:
        shutil.rmtree((new / "stores").resolve(), ignore_errors=True)


def test_a_dump_may_take_longer_than_transactions_may_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    short = "'ALTER DATABASE %I SET idle_in_transaction_session_timeout = 10', current_database()"
    run_aside(lambda: execute(postgres_url, f"DO $$ BEGIN EXECUTE format({short}); END $$"))
    saved(tmp_path, monkeypatch, postgres_url)
    assert [tmp_path / "saved"] == list(tmp_path.iterdir())


def test_a_backup_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_template: str
) -> None:
    with pytest.raises(HeliographError):
        saved(tmp_path, monkeypatch, url_of(postgres_template, "no_such_database"))
    assert [] == list(tmp_path.iterdir())


def test_what_is_not_as_it_was_saved_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    postgres_url: str,
    empty_url: str,
) -> None:
    folder = saved(tmp_path, monkeypatch, postgres_url)
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
    manifest["tables"]["feeds"] = {"rows": 7, "digest": "1"}
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", empty_url)
    with pytest.raises(typer.Exit):
        backups.restore(folder, None, dry_run=False)
    told = capsys.readouterr().out
    assert "feeds is not equal: 7 rows were saved, 0 are there" in told
    assert "start nothing on it, and empty it before another try" in told


def test_nothing_is_written_over_and_nothing_foreign_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    folder = saved(tmp_path, monkeypatch, postgres_url)
    with pytest.raises(InvalidInputError, match="exists already"):
        backups.backup(folder, None)
    with pytest.raises(StackError, match="has tables already"):
        backups.restore(folder, None, dry_run=False)
    with pytest.raises(HeliographError, match="no backup of ours"):
        backups.restore(tmp_path, None, dry_run=False)
