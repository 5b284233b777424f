"""docs/performance.md, made again from the runs that are kept: ``python -m bench.pages``.

What stands between ``<!-- NAME: measured -->`` and ``<!-- end -->`` is replaced; all else is left as it is.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench import aims, plots, records, reports
from bench.records import Run

PAGE: Final = records.FOLDER.with_suffix(".md")
_PART: Final = re.compile(
    r"(?P<begin><!-- (?P<name>[\w-]+): measured -->\n)(?P<text>.*?)(?P<end><!-- end -->)", re.DOTALL
)


def made_again(page: str, runs: Mapping[str, Run]) -> str:
    """Return the page with the parts of these runs replaced."""
    parts = {name: measured(run) for name, run in runs.items()}
    parts["aims"] = _table(
        ["aim", "benchmark", "wanted", "reached", "met"],
        aims.lines({name: run.report for name, run in runs.items()}),
    )
    return _PART.sub(lambda found: _replaced(found, parts), page)


def measured(run: Run) -> str:
    """Return what is told of a run."""
    told = reports.lines(run.report)
    name = run.report.name
    return "\n".join(
        [
            f"{run.report.ticks[0].upper()}{run.report.ticks[1:]}.",
            "",
            _table(told.head, told.body),
            f"![{name}](performance/{name}.svg)",
            "",
            f"On {run.day}: {run.machine}.",
            "",
        ]
    )


def _replaced(found: re.Match[str], parts: Mapping[str, str]) -> str:
    text = parts.get(found["name"])
    return found[0] if text is None else f"{found['begin']}\n{text}{found['end']}"


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *body)) + "\n"


def write(page: Path = PAGE) -> None:
    """Make the page and its plots again."""
    runs = records.kept()
    page.write_text(made_again(page.read_text(), runs))
    for run in runs.values():
        plots.draw(run.report, records.FOLDER / f"{run.report.name}.svg")


if __name__ == "__main__":
    write()
