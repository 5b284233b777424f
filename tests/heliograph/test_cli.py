"""The commands that answer and end."""

import asyncio
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from db.logins import API, address_of
from heliograph import configuration, feeds
from market.errors import InvalidInputError
from runtime.settings import Settings
from tests.conftest import execute

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def heliograph(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "heliograph", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "heliograph", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = {"asyncio", "asyncpg", "fastapi", "numpy", "pydantic", "redis", "rich.console", "sqlalchemy"}
    assert set() == loaded & heavy
    assert "replay" in done.stdout


def test_migrate_and_status_tell_the_revision(postgres_url: str) -> None:
    told = heliograph("db", "status", HELIOGRAPH_DATABASE_URL=postgres_url)
    assert told.returncode == 0, told.stderr
    again = heliograph("db", "migrate", HELIOGRAPH_DATABASE_URL=postgres_url)
    assert (again.returncode, again.stdout[:27]) == (0, told.stdout[:27])


def test_who_may_not_make_logins_is_told_what_to_do_and_can_print_how(postgres_url: str) -> None:
    address = {"HELIOGRAPH_DATABASE_URL": address_of(postgres_url, API)}
    refused = heliograph("db", "logins", **address)
    assert 1 == refused.returncode
    assert "give what `heliograph db logins --sql` prints to who may" in refused.stderr
    printed = heliograph("db", "logins", "--sql", **address)
    assert 0 == printed.returncode, printed.stderr
    asyncio.run(execute(postgres_url, printed.stdout))


def test_a_role_that_never_ran_is_not_healthy(postgres_url: str) -> None:
    told = heliograph("health", "worker-live", HELIOGRAPH_DATABASE_URL=postgres_url)
    assert (told.returncode, told.stdout) == (1, "no worker-live runs on this host\n")


def test_a_database_that_is_not_there_is_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    told = heliograph("db", "status", HELIOGRAPH_DATABASE_URL=f"postgresql://nobody@/none?host={tmp_path}")
    assert told.returncode == 1
    assert told.stderr.startswith("heliograph: reading the database's revision: ")
    assert 1 == len(told.stderr.splitlines())


def test_config_names_sources_and_hides_secrets() -> None:
    url = "postgresql://heliograph:hunter2@db/heliograph?password=hunter2"
    told = heliograph("config", HELIOGRAPH_DATABASE_URL=url)
    rows = {line.split("\t")[0]: line.split("\t")[1:4] for line in told.stdout.splitlines()}
    hidden = "postgresql://heliograph:****@db/heliograph?password=****"
    assert rows["HELIOGRAPH_DATABASE_URL"] == [hidden, "", "environment"]
    assert rows["HELIOGRAPH_API_HEARTBEAT_SECONDS"] == ["5.0", "seconds", "default"]
    assert "hunter2" not in told.stdout


def test_config_shows_values_as_one_would_set_them() -> None:
    feeds = '[{"venue": "kraken", "symbols": ["SOL/USD"]}]'
    told = heliograph("config", HELIOGRAPH_INGEST_FEEDS=feeds)
    rows = {line.split("\t")[0]: line.split("\t")[1] for line in told.stdout.splitlines()}
    assert (feeds, "false") == (rows["HELIOGRAPH_INGEST_FEEDS"], rows["HELIOGRAPH_SIMULATED"])


def test_config_names_variables_that_are_no_settings() -> None:
    told = heliograph("config", HELIOGRAPH_API_PROT="1")
    assert 0 == told.returncode
    assert "HELIOGRAPH_API_PROT is no setting; did you mean HELIOGRAPH_API_PORT" in told.stderr


def test_config_knows_every_setting() -> None:
    known = {kind.__module__ + kind.__qualname__ for kind in configuration.ALL}
    assert known == {kind.__module__ + kind.__qualname__ for kind in Settings.__subclasses__()}


def test_the_version_is_told() -> None:
    assert f"heliograph {version('heliograph')}\n" == heliograph("--version").stdout


def test_config_hides_whole_what_is_no_url() -> None:
    assert configuration.HIDDEN == configuration._without_password("host=db password=hunter2")


def test_tail_says_when_nobody_answers() -> None:
    told = heliograph("tail", "signals:*:*", "--url", "http://127.0.0.1:9")
    assert told.returncode == 1
    assert "nothing answers at ws://127.0.0.1:9/v1/stream" in told.stderr


def test_tail_refuses_what_is_no_channel() -> None:
    told = heliograph("tail", "nonsense")
    assert told.returncode == 1
    assert "FAMILY:EXCHANGE:SYMBOL" in told.stderr


@pytest.mark.parametrize(
    ("option", "venue", "symbols"),
    [
        ("kraken:SOL/USD,BTC/USD", "kraken", ["SOL/USD", "BTC/USD"]),
        ("binance:BTC/USDT:USDT", "binance", ["BTC/USDT:USDT"]),
    ],
)
def test_a_venue_is_chosen_with_its_symbols(option: str, venue: str, symbols: list[str]) -> None:
    assert feeds.parse(option) == {"venue": venue, "symbols": symbols}


@pytest.mark.parametrize("option", ["kraken", "kraken:", ":SOL/USD", ""])
def test_a_venue_without_symbols_is_refused(option: str) -> None:
    with pytest.raises(InvalidInputError, match="VENUE:SYMBOL"):
        feeds.parse(option)
