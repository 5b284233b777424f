"""``heliograph models`` as its user types it."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from db.connections import connected
from db.logins import BACKFILL, address_of
from tests.conftest import run_aside
from tests.heliograph.test_cli import heliograph
from tests.workers.models.days import generated
from tests.workers.models.history import listed, store
from workers.models.trainer import Trainer

pytestmark = pytest.mark.slow

Models = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def models(postgres_url: str) -> Models:
    async def fill() -> None:
        async with connected(postgres_url, "test") as connection:
            await store(connection, await listed(connection), generated(300))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return heliograph("models", *arguments, HELIOGRAPH_DATABASE_URL=postgres_url)

    run_aside(fill)
    return run


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert 0 == done.returncode, done.stderr
    return done.stdout.splitlines()


def read(done: subprocess.CompletedProcess[str]) -> Any:  # noqa: ANN401 - any JSON
    return json.loads("".join(said(done)))


def worked_off(url: str) -> None:
    async def train() -> None:
        async with connected(url, "test") as connection:
            assert await Trainer(address_of(url, BACKFILL)).train(connection)

    run_aside(train)


def test_a_model_is_asked_for_trained_listed_and_shown(models: Models, postgres_url: str) -> None:
    assert ["there are no models; train one: heliograph models train"] == said(models("list"))
    (line,) = said(models("train", "kraken:SOL/USD"))
    assert line.startswith("kraken:SOL/USD asked for: job 1, 300 minutes from 2024-08-09T00:00:00.000000Z")
    (line,) = said(models("train"))
    assert line.startswith("kraken:SOL/USD waits already")
    worked_off(postgres_url)
    _, line = said(models("list"))
    assert ["1", "kraken:SOL/USD", "1", "in", "use"] == line.split()[:5]
    (row,) = read(models("list", "--json"))
    assert {**row, "sound": True} == read(models("show", "1", "--json"))
    shown = said(models("show", "1"))
    assert any(line.startswith("sha256") and row["sha256"] in line for line in shown)


def test_a_dry_run_asks_for_nothing_and_promotes_nothing(models: Models, postgres_url: str) -> None:
    (line,) = said(models("train", "--dry-run"))
    assert "would be asked for" in line
    (asked,) = read(models("train", "--json", "--dry-run"))
    assert (None, False, 300) == (asked["job_id"], asked["waits"], asked["minutes"])
    (asked,) = read(models("train", "--json", "--days", "0.1"))
    assert (1, 144) == (asked["job_id"], asked["minutes"])
    worked_off(postgres_url)
    state = "UPDATE trained_models SET state = 'candidate'"

    async def as_candidate() -> None:
        async with connected(postgres_url, "test") as connection:
            await connection.execute(state)

    run_aside(as_candidate)
    (line,) = said(models("promote", "1", "--dry-run"))
    assert line.startswith("model 1 would be promoted: separation")
    assert "candidate" == read(models("list", "--json"))[0]["state"]
    assert read(models("promote", "1", "--json"))["passed"]
    assert "in use" == read(models("list", "--json"))[0]["state"]
    again = models("promote", "1")
    assert 1 == again.returncode
    assert "only a candidate" in again.stderr


def test_mistakes_are_sentences(models: Models) -> None:
    done = models("train", "kraken:DOGE/USD")
    assert "kraken:DOGE/USD has no bars of one minute; known are kraken:SOL/USD" in done.stderr
    done = models("show", "7")
    assert "there is no model 7" in done.stderr
    assert 1 == done.returncode
