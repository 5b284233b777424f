"""Measure and tell: ``python -m bench [NAME|all|quick] [--json FILE] [--record]``; see BENCHMARKS."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from rich.console import Console

from bench import (
    backpressure,
    claim,
    folds,
    growth,
    held,
    lanes,
    machine,
    memory,
    pages,
    pipeline,
    quick,
    records,
    rest,
    startup,
    stores,
    stream,
    write,
)
from bench.effort import Effort
from bench.records import Run
from bench.reports import Report, table
from runtime import logs
from runtime.settings import RuntimeSettings

_WIDTH = 140
_QUICK = "quick"
"""Not a benchmark: some of them, on little, beside what was recorded."""

Benchmark = Callable[[str, Effort], Coroutine[Any, Any, Report]]
"""Takes the address of an empty, durable database, and how much to do."""

BENCHMARKS: Mapping[str, Benchmark] = {
    "write": write.measure,
    "claim": claim.measure,
    "folds": folds.measure,
    "held": held.measure,
    "pipeline": pipeline.measure,
    "lanes": lanes.measure,
    "backpressure": backpressure.measure,
    "stream": stream.measure,
    "rest": rest.measure,
    "memory": memory.measure,
    "startup": startup.measure,
    "growth": growth.measure,
}
SECONDS: Mapping[str, float] = {"held": 300.0, "pipeline": 60.0, "lanes": 60.0, "backpressure": 30.0}
"""How long these take, unless somebody says otherwise: the others need less."""

_USUAL = ", ".join(f"{name} {seconds:g}" for name, seconds in {**SECONDS, "others": Effort().seconds}.items())


def main(arguments: Sequence[str]) -> int:
    """Run what the command line names; return 1 if anything was lost, or is far below what was recorded."""
    named = _parser().parse_args(arguments)
    logs.configure(RuntimeSettings().model_copy(update={"log_level": "warning"}))
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    if named.name == _QUICK:
        return quick.main(lambda name, effort: run(BENCHMARKS[name], effort).report, console)
    names = list(BENCHMARKS) if named.name == "all" else [named.name]
    runs = []
    for name in names:
        runs.append(run(BENCHMARKS[name], _effort(named, name)))
        console.print(table(runs[-1].report), f"{runs[-1].machine}\n", highlight=False)
    if named.json:
        named.json.write_bytes(msgspec.json.format(msgspec.json.encode(runs), indent=2))
        console.print(f"The same numbers are in {named.json}", highlight=False)
    if named.record:
        records.keep(runs)
        pages.write()
    return int(any(each.lost for each in runs))


def run(benchmark: Benchmark, effort: Effort) -> Run:
    """Run one benchmark on a server of its own."""
    with stores.postgres() as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        described = runner.run(machine.describe(url))
        return Run(described, runner.run(benchmark(url, effort)), records.today())


def _effort(named: Namespace, benchmark: str) -> Effort:
    usual = SECONDS.get(benchmark, Effort().seconds)
    return Effort(
        seconds=usual if named.seconds is None else named.seconds,
        least_rounds=named.rounds,
        ticks=named.ticks,
        peers=not named.no_peers,
    )


def _parser() -> ArgumentParser:
    usual = Effort()
    parser = ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", default="all", choices=[*BENCHMARKS, "all", _QUICK])
    parser.add_argument(
        "--seconds",
        type=float,
        help=f"how long each goes on, about; else {_USUAL}",
    )
    parser.add_argument("--rounds", type=int, default=usual.least_rounds, help="and how often at least")
    parser.add_argument("--ticks", type=int, default=usual.ticks, help="how many ticks a round is of")
    parser.add_argument("--no-peers", action="store_true", help="measure only ourselves and the limit")
    parser.add_argument(
        "--record", action="store_true", help="keep the figures, and make docs/performance.md again"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same numbers there")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
