"""A report as a picture: the first figure of every row, with the spread of its rounds."""

from pathlib import Path
from typing import Final

from bench.reports import Report, Row

_OURS, _LIMIT, _PEER, _OTHER = "#d97706", "#9ca3af", "#3b82f6", "#fbbf24"
_INCHES_A_ROW: Final = 0.32


def draw(report: Report, path: Path) -> None:
    """Write a drawing of the rows that have the report's first figure, the same for the same numbers."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure = next(iter(report.rows[0].figures))
    rows = [row for row in report.rows if figure in row.figures]
    limits = {row.limit for row in report.rows}
    with plt.rc_context({"svg.hashsalt": report.name, "svg.fonttype": "none", "font.size": 9}):
        drawing, axes = plt.subplots(figsize=(8, 1 + _INCHES_A_ROW * len(rows)), layout="constrained")
        samples = [row.figures[figure] for row in rows]
        axes.barh(
            [row.name for row in rows],
            [sample.median for sample in samples],
            xerr=[
                [sample.median - sample.lowest for sample in samples],
                [sample.highest - sample.median for sample in samples],
            ],
            color=[_colour(row, limited=row.name in limits) for row in rows],
            ecolor="#374151",
        )
        axes.invert_yaxis()
        axes.set_xlabel(figure)
        axes.spines[["top", "right"]].set_visible(False)
        drawing.savefig(path, format="svg", metadata={"Date": None})
        plt.close(drawing)


def _colour(row: Row, *, limited: bool) -> str:
    if row.ours:
        return _PEER
    return _LIMIT if limited else _OURS if row.limit else _OTHER
