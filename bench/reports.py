"""What was measured: as a table for people, and as the same numbers in JSON."""

from collections.abc import Mapping, Sequence
from statistics import median

import msgspec
from rich.table import Table

from bench.rounds import Figures

LOST = "lost"
"""The figure that must be 0: what went in and did not come out."""

_THOUSAND = 1000


class Sample(msgspec.Struct, frozen=True):
    """One figure: its median, its spread, and the value of every round."""

    median: float
    lowest: float
    highest: float
    rounds: list[float]


class Row(msgspec.Struct, frozen=True):
    """One contestant. ``share`` is its first figure's part of that of ``limit``, another row."""

    name: str
    figures: dict[str, Sample]
    limit: str | None
    share: float | None
    lost: int


class Report(msgspec.Struct, frozen=True):
    """One benchmark; the first figure of a row is what limits are compared by."""

    name: str
    ticks: str
    rows: list[Row]


def report(
    name: str, ticks: str, measured: Mapping[str, Sequence[Figures]], limits: Mapping[str, str]
) -> Report:
    """Return the report of ``measured``; ``limits`` names the limit of each row that has one."""
    rows = [_row(contestant, measured, limits.get(contestant)) for contestant in measured]
    return Report(name, ticks, rows)


def table(of: Report) -> Table:
    """Return the report as a table: ``median ±half of the spread``, and the share of the limit."""
    figures = list(dict.fromkeys(name for row in of.rows for name in row.figures))
    drawn = Table(title=f"{of.name}: {of.ticks}", title_justify="left")
    drawn.add_column("", no_wrap=True)
    limits = {row.limit for row in of.rows} - {None}
    for heading in (*figures, *(["of limit"] if limits else []), LOST):
        drawn.add_column(heading, justify="right")
    for row in of.rows:
        values = [_told(row.figures[name]) if name in row.figures else "" for name in figures]
        share = "limit" if row.name in limits else "" if row.share is None else f"{row.share:.0%}"
        drawn.add_row(row.name, *values, *([share] if limits else []), str(row.lost))
    return drawn


def _row(name: str, measured: Mapping[str, Sequence[Figures]], limit: str | None) -> Row:
    rounds = measured[name]
    figures = {figure: _sample(figure, rounds) for figure in rounds[0] if figure != LOST}
    share = None
    if limit is not None:
        first = next(iter(figures))
        share = figures[first].median / _sample(first, measured[limit]).median
    return Row(name, figures, limit, share, int(sum(each.get(LOST, 0) for each in rounds)))


def _sample(figure: str, rounds: Sequence[Figures]) -> Sample:
    values = [each[figure] for each in rounds]
    return Sample(median(values), min(values), max(values), values)


def _told(sample: Sample) -> str:
    if len(sample.rounds) == 1:
        return _number(sample.median)
    spread = (sample.highest - sample.lowest) / 2 / sample.median if sample.median else 0.0
    return f"{_number(sample.median)} ±{spread:.0%}"


def _number(value: float) -> str:
    """Return three digits: more would be noise."""
    return f"{value:.3g}" if value < _THOUSAND else f"{float(f'{value:.3g}') / _THOUSAND:g}k"
