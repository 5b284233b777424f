"""What each benchmark is to reach, beside what it did reach."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from bench.reports import Report, number

OF_LIMIT: Final = "of limit"
OURS_TO_IT: Final = "ours / it"
BURST: Final = "several a frame, 50,000/s"
HELD: Final = "5: held"
"""How the row begins: the rest says when the part ended."""


class Aim(msgspec.Struct, frozen=True):
    """``row`` of ``benchmark`` is to reach ``least``, or to stay below ``most``, in ``figure``.

    ``figure`` may be OF_LIMIT or OURS_TO_IT.
    """

    told: str
    benchmark: str
    row: str
    figure: str
    least: float | None = None
    most: float | None = None

    def reached(self, value: float) -> bool:
        """Tell whether a value is as it should be."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def wanted(self) -> str:
        """Return the bound in words."""
        least, most = _bound(self.least), _bound(self.most)
        return f"at least {least}" if self.least is not None else f"at most {most}"


AIMS: Final[Sequence[Aim]] = (
    Aim("rows stored, of cryptofeed's, by 200", "write", "cryptofeed, all new, by 200", OURS_TO_IT, 3),
    Aim("the same by 10,000", "write", "cryptofeed, all new, by 10,000", OURS_TO_IT, 3),
    Aim("rows stored, of a bare COPY's, by 200", "write", "all new, by 200", OF_LIMIT, 0.5),
    Aim("the same by 10,000", "write", "all new, by 10,000", OF_LIMIT, 0.5),
    Aim("ticks claimed, of pgqueuer's with a job a tick", "claim", "pgqueuer, a job a tick", OURS_TO_IT, 10),
    Aim("the same of procrastinate's", "claim", "procrastinate, a job a tick", OURS_TO_IT, 10),
    Aim("of pgqueuer's with jobs of 200", "claim", "pgqueuer, jobs of 200", OURS_TO_IT, 1),
    Aim("of procrastinate's with jobs of 200", "claim", "procrastinate, jobs of 200", OURS_TO_IT, 1),
    Aim("of pgqueuer's with jobs of 20,000", "claim", "pgqueuer, jobs of 20,000", OURS_TO_IT, 1),
    Aim("of procrastinate's with jobs of 20,000", "claim", "procrastinate, jobs of 20,000", OURS_TO_IT, 1),
    Aim("p99 from tick to published signal, ms", "pipeline", "all roles, 10,000/s", "p99 ms", most=30),
    Aim("ticks/s through everything, several a frame", "pipeline", BURST, "ticks/s", 49_500),
    Aim("p99 there, ms", "pipeline", BURST, "p99 ms", most=100),
    Aim("frames sent, of a bare loop's", "stream", "stream", OF_LIMIT, 0.8),
    Aim("p99 to 1,000 subscribers, ms", "stream", "stream", "p99 ms", most=100),
    Aim("the same beside stalled ones, ms", "stream", "stream, 1 in 100 stalled", "p99 ms", most=100),
    Aim("memory of 10,000 idle subscribers, MB", "stream", "stream, 10,000 idle", "MB", most=500),
    Aim(
        "p99 of live beside a backfill, of that alone", "lanes", "live beside a backfill", OF_LIMIT, most=1.5
    ),
    Aim("rows stored beside 50 million, of those beside 1", "growth", "50M stored", OF_LIMIT, 0.9),
    Aim("last part beside a held snapshot, of the first", "held", HELD, "of first", 0.95),
)


def lines(reports: Mapping[str, Report]) -> list[list[str]]:
    """Return of each aim whose benchmark was recorded: what, how much, what was reached, and whether."""
    return [
        [
            aim.told,
            f"`{aim.benchmark}`",
            aim.wanted,
            _bound(value),
            "yes" if aim.reached(value) else "**missed**",
        ]
        for aim in AIMS
        if aim.benchmark in reports and (value := _value(aim, reports[aim.benchmark])) is not None
    ]


def _value(aim: Aim, of: Report) -> float | None:
    row = next((row for row in of.rows if aim.row in (row.name, row.name.partition(", to ")[0])), None)
    if row is None:
        return None
    if aim.figure == OF_LIMIT:
        return row.share
    if aim.figure == OURS_TO_IT:
        return row.times
    return row.figures[aim.figure].median


def _bound(value: float | None) -> str:
    return "" if value is None else number(value)
