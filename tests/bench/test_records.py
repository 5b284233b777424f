"""What is recorded, and the page that is made of it."""

from pathlib import Path

import pytest

from bench import aims, pages, plots, records
from bench.aims import Aim
from bench.machine import Machine
from bench.records import Run
from bench.reports import report

MACHINE = Machine(2, "made up", 24.0, 0.1, "Linux", "3.11", "18.4", {"fsync": "on"})
WRITE = report(
    "write",
    "3 ticks",
    {"COPY": [{"rows/s": 4_000_000.0}], "ours": [{"rows/s": 300.0}], "peer": [{"rows/s": 150.0}]},
    {"ours": "COPY"},
    {"peer": "ours"},
)
RUN = Run(MACHINE, WRITE, "2026-11-22")


def test_a_run_that_is_kept_replaces_the_one_before(tmp_path: Path) -> None:
    records.keep([Run(MACHINE, WRITE, "2026-11-21")], tmp_path)
    records.keep([RUN], tmp_path)
    assert {"write": RUN} == records.kept(tmp_path)


def test_only_measured_parts_of_a_page_are_made_again() -> None:
    page = (
        "kept\n<!-- write: measured -->\nold\n<!-- end -->\nby hand\n<!-- claim: measured -->\n<!-- end -->\n"
    )
    made = pages.made_again(page, {"write": RUN})
    assert "old" not in made
    assert "kept\n<!-- write: measured -->" in made
    assert "<!-- end -->\nby hand\n<!-- claim: measured -->\n<!-- end -->\n" in made
    assert "| ours | 300 | 0.01% |  | 0 |" in made
    assert "| peer | 150 |  | 2 |  |" in made
    assert made == pages.made_again(made, {"write": RUN})


def test_the_page_is_what_is_made_of_the_runs_that_are_kept() -> None:
    runs = records.kept()
    page = pages.PAGE.read_text()
    assert page == pages.made_again(page, runs)
    assert all(f"<!-- {name}: measured -->" in page for name in runs)
    assert all((records.FOLDER / f"{name}.svg").exists() for name in runs)


def test_aims_name_rows_that_are_measured() -> None:
    runs = records.kept()
    wanted = [aim for aim in aims.AIMS if aim.benchmark in runs]
    assert len(wanted) == len(aims.lines({name: run.report for name, run in runs.items()}))


def test_an_aim_is_a_least_or_a_most() -> None:
    least = Aim("", "write", "ours", "rows/s", least=2.0)
    most = Aim("", "write", "ours", "p99 ms", most=2.0)
    assert [(True, False), (True, True), (False, True)] == [
        (least.reached(value), most.reached(value)) for value in (3.0, 2.0, 1.0)
    ]
    assert ("at least 2", "at most 2") == (least.wanted, most.wanted)


@pytest.mark.slow
def test_the_same_numbers_make_the_same_plot(tmp_path: Path) -> None:
    plots.draw(WRITE, tmp_path / "one.svg")
    plots.draw(WRITE, tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
