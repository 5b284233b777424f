"""What was measured: as a table for people, and as the same numbers in JSON."""

from collections.abc import Collection, Mapping, Sequence
from statistics import median

import msgspec
from rich.table import Table

from bench.rounds import Figures

LOST = "lost"
"""The figure that must be 0: what went in and did not come out."""

_THOUSAND, _MILLION = 1000, 1_000_000
_PERCENT = 0.01


class Sample(msgspec.Struct, frozen=True):
    """One figure: its median, its spread, and the value of every round."""

    median: float
    lowest: float
    highest: float
    rounds: list[float]


class Row(msgspec.Struct, frozen=True):
    """One contestant. ``share`` is its first figure's part of that of ``limit``, another row.

    Of a peer, ``ours`` is the row of Heliograph that does the same, and ``times`` how often the peer's
    first figure goes into that row's.
    """

    name: str
    figures: dict[str, Sample]
    limit: str | None
    share: float | None
    lost: int
    ours: str | None = None
    times: float | None = None


class Report(msgspec.Struct, frozen=True):
    """One benchmark; the first figure of a row is what limits are compared by."""

    name: str
    ticks: str
    rows: list[Row]


def report(
    name: str,
    ticks: str,
    measured: Mapping[str, Sequence[Figures]],
    limits: Mapping[str, str],
    peers: Mapping[str, str] | None = None,
) -> Report:
    """Return the report of ``measured``; ``limits`` names the limit of each row that has one.

    ``peers`` names our row beside each row of a peer.
    """
    shares = {row: _ratio(measured, row, limit) for row, limit in limits.items()}
    beside = peers or {}
    times = {row: _ratio(measured, ours, row) for row, ours in beside.items()}
    rows = [
        Row(
            row,
            {figure: _sample(figure, rounds) for figure in rounds[0] if figure != LOST},
            limits.get(row),
            shares.get(row),
            int(sum(each.get(LOST, 0) for each in rounds)),
            beside.get(row),
            times.get(row),
        )
        for row, rounds in measured.items()
    ]
    return Report(name, ticks, rows)


class Lines(msgspec.Struct, frozen=True):
    """A report as lines of text, whatever draws them."""

    head: list[str]
    body: list[list[str]]


def lines(of: Report) -> Lines:
    """Return ``median ±half of the spread``, the share of the limit, and how Heliograph stands to a peer."""
    figures = list(dict.fromkeys(name for row in of.rows for name in row.figures))
    limits = {row.limit for row in of.rows} - {None}
    peers = any(row.ours for row in of.rows)
    head = ["", *figures, *(["of limit"] if limits else []), *(["ours / it"] if peers else []), LOST]
    body = [
        [
            row.name,
            *[_told(row.figures[name]) if name in row.figures else "" for name in figures],
            *([_share(row, limits)] if limits else []),
            *(["" if row.times is None else f"{row.times:.3g}"] if peers else []),
            "" if row.ours else str(row.lost),
        ]
        for row in of.rows
    ]
    return Lines(head, body)


def table(of: Report) -> Table:
    """Return the report as a table for a terminal."""
    text = lines(of)
    drawn = Table(title=f"{of.name}: {of.ticks}", title_justify="left")
    drawn.add_column("", no_wrap=True)
    for heading in text.head[1:]:
        drawn.add_column(heading, justify="right")
    for line in text.body:
        drawn.add_row(*line)
    return drawn


def _share(row: Row, limits: Collection[str | None]) -> str:
    return "limit" if row.name in limits else "" if row.share is None else _percent(row.share)


def _ratio(measured: Mapping[str, Sequence[Figures]], of: str, to: str) -> float:
    first = next(iter(measured[of][0]))
    below = _sample(first, measured[to]).median
    return _sample(first, measured[of]).median / below if below else 0.0


def _sample(figure: str, rounds: Sequence[Figures]) -> Sample:
    values = [each[figure] for each in rounds]
    return Sample(median(values), min(values), max(values), values)


def _told(sample: Sample) -> str:
    if len(sample.rounds) == 1:
        return number(sample.median)
    spread = (sample.highest - sample.lowest) / 2 / sample.median if sample.median else 0.0
    return f"{number(sample.median)} ±{spread:.0%}"


def number(value: float) -> str:
    """Return three digits: more would be noise."""
    for unit, name in ((_MILLION, "M"), (_THOUSAND, "k")):
        if value >= unit:
            return f"{float(f'{value:.3g}') / unit:g}{name}"
    return f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= _PERCENT else f"{share:.2%}"
