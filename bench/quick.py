"""Ratios to the limits, on little, beside those that were recorded: what was halved is not noise.

A ratio fails only if it is below half of the recorded one in each of three rounds; where there is nothing
to doubt, the first round is the last.
"""

from collections.abc import Callable, Mapping
from typing import Final

from rich.console import Console
from rich.table import Table

from bench import records
from bench.effort import Effort
from bench.reports import Report

EFFORTS: Final[Mapping[str, Effort]] = {
    "write": Effort(seconds=0, least_rounds=1, ticks=20_000, peers=False),
    "claim": Effort(seconds=0, least_rounds=1, ticks=20_000, peers=False),
    "stream": Effort(seconds=2, least_rounds=1, ticks=10_000, peers=False),
}
"""The benchmarks that have a limit and are quick, and how much they do here."""

ROUNDS: Final = 3
FLOOR: Final = 0.5
"""Part of the recorded ratio that one may fall to."""

Ratios = Mapping[str, float]
"""Shares of the limit, by row."""


def main(measure: Callable[[str, Effort], Report], console: Console) -> int:
    """Measure, tell, and return 1 if a ratio was too low in every round."""
    recorded = {name: ratios(run.report) for name, run in records.kept().items() if name in EFFORTS}
    seen: dict[str, list[Ratios]] = {name: [] for name in recorded}
    for _ in range(ROUNDS):
        for name, rounds in seen.items():
            if not rounds or low(recorded[name], rounds):
                rounds.append(ratios(measure(name, EFFORTS[name])))
    failed = {name: low(recorded[name], rounds) for name, rounds in seen.items()}
    console.print(_table(recorded, seen, failed), highlight=False)
    return int(any(failed.values()))


def ratios(report: Report) -> Ratios:
    """Return the share that each row has of its limit."""
    return {row.name: row.share for row in report.rows if row.share is not None}


def low(recorded: Ratios, rounds: list[Ratios]) -> list[str]:
    """Return the rows that were below the floor in every round."""
    return [
        row
        for row, share in recorded.items()
        if all(row in each and each[row] < share * FLOOR for each in rounds)
    ]


def _table(
    recorded: Mapping[str, Ratios], seen: Mapping[str, list[Ratios]], failed: Mapping[str, list[str]]
) -> Table:
    drawn = Table(title="Shares of the limit, beside what was recorded", title_justify="left")
    for heading in ("", "recorded", "floor", "now", ""):
        drawn.add_column(heading, justify="right" if heading else "left")
    for name, shares in recorded.items():
        for row, share in shares.items():
            now = ", ".join(f"{each[row]:.0%}" for each in seen[name] if row in each)
            verdict = "too low" if row in failed[name] else ""
            drawn.add_row(f"{name}: {row}", f"{share:.0%}", f"{share * FLOOR:.0%}", now, verdict)
    return drawn
