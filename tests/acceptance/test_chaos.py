"""Everything goes wrong at once; what is stored is what truly happened, and what subscribers are told."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heliograph.chaos.plan import House
from sim.faults import KINDS

pytestmark = pytest.mark.slow

MINUTES = "1.35"
EVERY_SECONDS = "1.4"
"""So that each kind of strike comes within the minutes."""

WITHIN_SECONDS = 420


def run(tmp_path: Path, *options: str) -> dict[str, Any]:
    """Return the report of a run that passed."""
    file = tmp_path / "report.json"
    arguments = ["--port", "0", "--data-dir", str(tmp_path / "data"), "--report", str(file)]
    ended = subprocess.run(
        [sys.executable, "-m", "heliograph", "chaos", *options, *arguments],
        capture_output=True,
        text=True,
        timeout=WITHIN_SECONDS,
        check=False,
    )
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    report: dict[str, Any] = json.loads(file.read_text())
    assert report["passed"]
    assert all(verdict["stored"] > 0 for verdict in report["verdicts"].values())
    return report


@pytest.mark.parametrize("seed", [3])
def test_nothing_is_lost_invented_or_unexplained_under_chaos(seed: int, tmp_path: Path) -> None:
    report = run(tmp_path, "--seed", str(seed), "--minutes", MINUTES, "--every", EVERY_SECONDS)
    assert {*KINDS, *House} == {strike[1] for strike in report["strikes"]}
    assert {"quick", "slow"} == report["subscribers"].keys()
    for heard in report["subscribers"].values():
        assert heard["received"] == heard["published"] > 0
        assert heard["connections"] > 1
    assert any(name.startswith("trades") for name in report["gaps"])


def test_workers_killed_at_random_tell_everything_once(tmp_path: Path) -> None:
    report = run(tmp_path, "--minutes", "0.5", "--every", "0.7", "--strikes", House.KILL_WORKER)
    assert {House.KILL_WORKER} == {strike[1] for strike in report["strikes"]}
    assert all(verdict["tape"] == verdict["stored"] for verdict in report["verdicts"].values())
