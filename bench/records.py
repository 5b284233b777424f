"""Runs that are kept in docs/performance/: what docs/performance.md is made of, and floors are taken from."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from bench.machine import Machine
from bench.reports import Report

FOLDER: Final = Path(__file__).parents[1] / "docs" / "performance"


class Run(msgspec.Struct, frozen=True):
    """One benchmark, the machine as it was when it began, and the day; ``--json`` writes a list of them."""

    machine: Machine
    report: Report
    day: str = ""

    @property
    def lost(self) -> int:
        """Return how many ticks went in and did not come out."""
        return sum(row.lost for row in self.report.rows)


def today() -> str:
    """Return the day, UTC."""
    return datetime.now(UTC).date().isoformat()


def keep(runs: Iterable[Run], folder: Path = FOLDER) -> None:
    """Keep runs, each in place of the one before of its benchmark."""
    folder.mkdir(exist_ok=True)
    for run in runs:
        text = msgspec.json.format(msgspec.json.encode(run), indent=1)
        (folder / f"{run.report.name}.json").write_bytes(text + b"\n")


def kept(folder: Path = FOLDER) -> dict[str, Run]:
    """Return the runs that are kept, by benchmark."""
    found = [msgspec.json.decode(path.read_bytes(), type=Run) for path in sorted(folder.glob("*.json"))]
    return {run.report.name: run for run in found}
