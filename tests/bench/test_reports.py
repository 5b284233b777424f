"""Figures as they are told."""

from io import StringIO

from rich.console import Console

from bench.reports import LOST, report, table

MEASURED = {
    "bare": [{"rows/s": 400_000.0}, {"rows/s": 200_000.0}, {"rows/s": 300_000.0}],
    "ours": [{"rows/s": 151_234.0, LOST: 0}, {"rows/s": 150_000.0, LOST: 2}, {"rows/s": 149_000.0, LOST: 0}],
}


def test_a_row_tells_median_spread_and_share_of_its_limit() -> None:
    bare, ours = report("write", "3 ticks", MEASURED, {"ours": "bare"}).rows
    assert (300_000.0, 200_000.0, 400_000.0) == (
        bare.figures["rows/s"].median,
        bare.figures["rows/s"].lowest,
        bare.figures["rows/s"].highest,
    )
    assert (None, 0.5) == (bare.share, ours.share)


def test_what_any_round_lost_is_lost() -> None:
    bare, ours = report("write", "3 ticks", MEASURED, {"ours": "bare"}).rows
    assert (0, 2) == (bare.lost, ours.lost)


def test_the_table_tells_three_digits() -> None:
    console = Console(width=100, file=(written := StringIO()))
    console.print(table(report("write", "3 ticks", MEASURED, {"ours": "bare"})))
    lines = [line for line in written.getvalue().splitlines() if "ours" in line]
    assert ["ours", "150k", "±1%", "50%", "2"] == [
        word for line in lines for word in line.replace("│", " ").split()
    ]
