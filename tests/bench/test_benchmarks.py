"""Each benchmark, on little: nothing is lost, and everything is measured. How fast is not asserted."""

from pathlib import Path

import msgspec
import pytest

from bench.__main__ import BENCHMARKS, main, run
from bench.effort import Effort
from bench.records import Run
from bench.reports import Report
from workers.kinds.catalogue import BUILT_IN

pytestmark = pytest.mark.slow

LITTLE = Effort(seconds=0, least_rounds=1, ticks=2_000, peers=False)
LITTLE_BUT_SIGNALS = Effort(seconds=5, least_rounds=1, ticks=2_000, peers=False)


def unsound(report: Report) -> list[str]:
    """Return the rows that lost something, or of which a figure is missing."""
    return [
        row.name for row in report.rows if row.lost or not all(s.median > 0 for s in row.figures.values())
    ]


@pytest.mark.parametrize(
    ("name", "effort"),
    [("write", LITTLE), ("claim", LITTLE), ("rest", LITTLE), ("pipeline", LITTLE_BUT_SIGNALS)],
)
def test_a_benchmark_measures_everything_and_loses_nothing(
    name: str, effort: Effort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOGRAPH_RECORDINGS", str(tmp_path))  # recorded tapes are not little
    done = run(BENCHMARKS[name], effort)
    assert [] == unsound(done.report)
    assert {row.limit for row in done.report.rows} - {None} < {row.name for row in done.report.rows}
    assert {"fsync": "on", "synchronous_commit": "on"} == done.machine.settings


def test_claims_beside_a_held_snapshot_are_measured_part_by_part_beside_fresh_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOGRAPH_RECORDINGS", str(tmp_path))
    done = run(BENCHMARKS["held"], LITTLE)
    fresh, free, held = (done.report.rows[place::3] for place in range(3))
    names = [row.name for row in fresh]
    assert (names, names) == ([row.limit for row in free], [row.limit for row in held])
    assert (5, 0) == (len(held), sum(row.lost for row in done.report.rows))
    assert all(row.share for row in (*free, *held))
    assert {"ticks/s", "claims/s", "p50 ms", "p99 ms", "dead rows", "of first"} == set(held[0].figures)
    assert held[-1].figures["dead rows"].median > held[0].figures["dead rows"].median


def test_growth_is_measured_beside_the_least(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_RECORDINGS", str(tmp_path))
    done = run(BENCHMARKS["growth"], Effort(seconds=0, least_rounds=1, ticks=200, peers=False))
    assert ["4k stored", "40k stored", "200k stored"] == [row.name for row in done.report.rows]
    assert [None, "4k stored", "4k stored"] == [row.limit for row in done.report.rows]
    assert [] == unsound(done.report)


def test_the_numbers_are_written_as_json(tmp_path: Path) -> None:
    little = ["--seconds", "0", "--rounds", "1", "--ticks", "2000", "--no-peers"]
    assert 0 == main(["write", *little, "--json", str(tmp_path / "run.json")])
    written = msgspec.json.decode((tmp_path / "run.json").read_bytes(), type=list[Run])
    assert ["write"] == [each.report.name for each in written]


def test_everybody_hears_everything_beside_a_bare_loop() -> None:
    done = run(BENCHMARKS["stream"], Effort(seconds=1, least_rounds=1, ticks=1_000, peers=False))
    bare, ours, bare_stalled, ours_stalled, idle = done.report.rows
    assert [] == unsound(done.report)
    assert [bare.name, bare_stalled.name] == [ours.limit, ours_stalled.limit]
    assert {"MB", "kB each"} == set(idle.figures)


def test_every_kind_is_stepped_over_bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_RECORDINGS", str(tmp_path))
    done = run(BENCHMARKS["folds"], LITTLE)
    assert [fold.kind for fold in BUILT_IN] == [row.name for row in done.report.rows]
    assert [] == unsound(done.report)
