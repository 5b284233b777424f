"""Everything goes wrong at once; what is stored is what truly happened, and what subscribers are told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from heliograph.chaos.plan import House
from sim.faults import KINDS

pytestmark = pytest.mark.slow

MINUTES = "1.35"
EVERY_SECONDS = "1.4"
"""So that each kind of strike comes within the minutes."""

WITHIN_SECONDS = 420


@pytest.mark.parametrize("seed", [3])
def test_nothing_is_lost_invented_or_unexplained_under_chaos(seed: int, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    command = ["chaos", "--seed", str(seed), "--minutes", MINUTES, "--every", EVERY_SECONDS, "--port", "0"]
    arguments = [*command, "--data-dir", str(tmp_path / "data"), "--report", str(file)]
    ended = subprocess.run(
        [sys.executable, "-m", "heliograph", *arguments],
        capture_output=True,
        text=True,
        timeout=WITHIN_SECONDS,
        check=False,
    )
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    report = json.loads(file.read_text())
    assert report["passed"]
    assert {*KINDS, *House} == {strike[1] for strike in report["strikes"]}
    assert all(verdict["stored"] > 0 for verdict in report["verdicts"].values())
    assert {"quick", "slow"} == report["subscribers"].keys()
    for heard in report["subscribers"].values():
        assert heard["received"] == heard["published"] > 0
        assert heard["connections"] > 1
    assert any(name.startswith("trades") for name in report["gaps"])
