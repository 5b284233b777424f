"""A demonstration in which something goes wrong tells so, and how it heals."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from heliograph.embedded import folders

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    yield folder
    if (folder / "stores").is_symlink():
        folders.remove((folder / "stores").readlink())


@pytest.mark.parametrize("venue", ["binance", "coinbase", "kraken"])
def test_a_gap_is_told_and_heals(venue: str, data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    options = ("--venue", venue, "--seconds", "8", "--fault", "gap@2s", "--report", str(file))
    command = [sys.executable, "-m", "heliograph", "demo", *options, "--data-dir", str(data_dir)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "fault: gap begins at the simulated venue" in done.stderr
    healed = rf"gap \d+: {venue}:\S+ trades, \d+ missing in \S+ s healed after \S+ s: ids are contiguous"
    assert re.search(healed, done.stderr), done.stderr
    assert re.search(r"^gaps: \d+ closed$", done.stderr, re.MULTILINE), done.stderr
    assert json.loads(file.read_text())["lost"] == 0
