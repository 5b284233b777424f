"""The report of a run on a simulated venue: what was offered, what became of it, how long it took."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import IO, Any

import msgspec

KINDS = ("trades", "quotes", "depths")
_MILLISECOND = 1000


class Ticks(msgspec.Struct, kw_only=True):
    """Counts of one kind of tick, or of all: offered = stored + duplicates + conflated + rejected."""

    offered: int = 0
    stored: int = 0
    duplicates: int = 0
    conflated: int = 0
    rejected: int = 0

    @property
    def settled(self) -> int:
        """Return of how many it is known what became of them."""
        return self.stored + self.duplicates + self.conflated + self.rejected


class AllTicks(Ticks, kw_only=True):
    """The counts of all ticks, and of each kind, and the reasons of rejections."""

    by_kind: dict[str, Ticks]
    reasons: dict[str, int]


class Signals(msgspec.Struct):
    """Publications of signals: in the log, and received by the subscriber."""

    computed: int
    delivered: int


class Latency(msgspec.Struct):
    """From the ingester's receipt of a frame to the subscriber's receipt of the signal, in milliseconds."""

    p50: float | None
    p90: float | None
    p99: float | None
    max: float | None


class Report(msgspec.Struct, kw_only=True):
    """What a run did. ``bars`` counts final bars; ``lost`` must be 0.

    ``complete``: the tape was played to its end.
    """

    ticks: AllTicks
    bars: int
    signals: Signals
    latency_ms: Latency
    seconds: float
    ticks_per_second: float
    lost: int
    complete: bool = True


def tally(offered: Mapping[str, int], feeds: Iterable[Mapping[str, Any]]) -> AllTicks:
    """Join what the venues count as offered with what ingesters say became of it.

    ``feeds`` are the ``feeds`` of ingesters' counters: exchange, kind, counts.
    """
    known = {kind: Ticks(offered=offered[kind]) for kind in offered if kind in KINDS or offered[kind]}
    ticks = AllTicks(by_kind=known, reasons={})
    for exchanges in feeds:
        for kinds in exchanges.values():
            for name, counts in kinds.items():
                _add(ticks, ticks.by_kind.setdefault(name, Ticks()), counts)
    for field in Ticks.__struct_fields__:
        setattr(ticks, field, sum(getattr(each, field) for each in ticks.by_kind.values()))
    return ticks


def latency(latencies_us: Sequence[int]) -> Latency:
    """Return the percentiles, by nearest rank, in milliseconds."""
    ordered = sorted(latencies_us)
    if not ordered:
        return Latency(None, None, None, None)

    def rank(share: float) -> float:
        return ordered[ceil(share * len(ordered)) - 1] / _MILLISECOND

    return Latency(rank(0.5), rank(0.9), rank(0.99), rank(1.0))


def show(report: Report, output: IO[str]) -> None:
    """Print the report: a table for people, JSON for programs."""
    if output.isatty():
        from rich.console import Console

        Console(file=output).print(_table(report))
    else:
        output.write(f"{encode(report).decode()}\n")


def encode(report: Report) -> bytes:
    """Return the report as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2)


def _add(ticks: AllTicks, kind: Ticks, counts: Mapping[str, Any]) -> None:
    kind.stored += counts["stored"]
    kind.duplicates += counts["duplicates"]
    kind.conflated += counts["conflated"]
    for reason, number in counts["rejected"].items():
        kind.rejected += number
        ticks.reasons[reason] = ticks.reasons.get(reason, 0) + number


def _table(report: Report) -> Any:  # noqa: ANN401  # rich is imported only where a table is drawn
    from rich.table import Table

    table = Table(
        "", *Ticks.__struct_fields__, box=None, title_justify="left", title="What became of the ticks"
    )
    for name, ticks in (*report.ticks.by_kind.items(), ("all", report.ticks)):
        table.add_row(name, *(f"{getattr(ticks, field):,}" for field in Ticks.__struct_fields__))
    latencies = ", ".join(
        f"{'-' if value is None else f'{value:.1f}'} ms {name}"
        for name, value in msgspec.structs.asdict(report.latency_ms).items()
    )
    signals = report.signals
    for name, text in (
        ("lost", f"{report.lost:,}"),
        ("bars", f"{report.bars:,}"),
        ("signals", f"{signals.computed:,} computed, {signals.delivered:,} delivered"),
        ("latency", latencies),
        ("speed", f"{report.ticks_per_second:,.0f} ticks/s for {report.seconds:.1f} s"),
        *([] if report.complete else [("complete", "no: stopped before the end of the tape")]),
    ):
        table.add_row(name, text)
    return table
