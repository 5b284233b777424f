"""``heliograph schedule`` as its user types it."""

import json
import subprocess
from collections.abc import Callable

import pytest

from tests.heliograph.test_cli import heliograph

pytestmark = pytest.mark.slow

Schedule = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def schedule(postgres_url: str) -> Schedule:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return heliograph("schedule", *arguments, HELIOGRAPH_DATABASE_URL=postgres_url)

    return run


def test_chores_are_listed_paused_and_resumed(schedule: Schedule) -> None:
    listed = schedule("list").stdout.splitlines()
    assert listed[0].startswith("chore ")
    assert "never ran" in listed[1]
    assert "verify would be paused\n" == schedule("pause", "verify", "--dry-run").stdout
    assert "verify paused\n" == schedule("pause", "verify").stdout
    assert "verify unchanged\n" == schedule("pause", "verify").stdout
    rows = {row["name"]: row for row in json.loads(schedule("list", "--json").stdout)}
    assert (True, None) == (rows["verify"]["paused"], rows["verify"]["next_at"])
    assert '"resumed"' in schedule("resume", "verify", "--json").stdout
    assert "nothing ran yet\n" == schedule("runs").stdout


def test_a_run_without_a_scheduler_says_what_to_start(schedule: Schedule) -> None:
    refused = schedule("run", "verify")
    assert 1 == refused.returncode
    assert "start one: heliograph scheduler" in refused.stderr
    assert "verify would be run\n" == schedule("run", "verify", "--dry-run").stdout
    assert "did you mean verify?" in schedule("pause", "verfy").stderr


def test_who_paused_what_is_shown(schedule: Schedule, postgres_url: str) -> None:
    schedule("pause", "train")
    shown = heliograph("audit", HELIOGRAPH_DATABASE_URL=postgres_url).stdout.splitlines()
    assert "by heliograph schedule paused_chores insert - name=train" in " ".join(shown[1].split())
