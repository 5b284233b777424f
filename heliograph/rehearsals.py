"""``heliograph demo`` and ``heliograph replay``: a run on a simulated venue, and its report."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from api.settings import ApiSettings
from heliograph.console import suitable
from heliograph.data_folders import Purpose, default_folder
from heliograph.demonstration import Market
from heliograph.ports import preferred_or_free
from heliograph.replay import replay as run_replay
from heliograph.reports import Report, encode, show
from heliograph.settings import StackSettings
from heliograph.stack import Plan, run_stack
from heliograph.venues import recorded
from market.errors import InvalidInputError, StackError

NEXT = """
What to try next:
  heliograph demo --seconds 0                   until Ctrl-C, so that there is time for
  curl '{page}v1/signals?limit=5'
  heliograph tail 'signals:*:*'
  heliograph up --venue kraken:SOL/USD,BTC/USD  and a live venue; no key is needed
"""


class Options(NamedTuple):
    """What both commands can be told."""

    report: Path | None
    data_dir: Path | None
    port: int | None


def demo(options: Options, market: Market) -> None:
    """Run everything on a venue that makes its market up, and report."""
    plan = _plan(options, default_folder("demo"))
    _run(plan, market.arguments(), options.report, recovering=bool(market.faults))
    sys.stderr.write(NEXT.format(page=plan.page))


def replay(options: Options, *, files: Sequence[Path], venue: str, speed: str) -> None:
    """Play recordings through everything, and report."""
    _run(_plan(options, default_folder("replay")), recorded(venue, files, speed), options.report)


def chaos(options: Options, *, seed: int, minutes: float, venues: Sequence[str]) -> None:
    """Break everything on venues that make their markets up, and judge what was stored."""
    from heliograph.chaos import command

    known = [market.venue for market in command.MARKETS]
    if unknown := set(venues) - set(known):
        message = f"no simulated venue {min(unknown)!r}; choose from {', '.join(known)}"
        raise InvalidInputError(message)
    plan = _plan(options, default_folder("chaos"))
    command.chaos(plan, seed=seed, minutes=minutes, venues=venues or known, report=options.report)


def _plan(options: Options, folder: Path) -> Plan:
    """Return a plan on stores of its own, whatever the environment says: these ticks meet no real ones."""
    api = ApiSettings()
    port = preferred_or_free(api.host, api.port) if options.port is None else options.port
    return Plan(
        data_dir=options.data_dir or folder,
        purpose=Purpose.SIMULATED,
        host=api.host,
        port=port,
        live_workers=StackSettings().live_workers,
    )


def _run(plan: Plan, simulation: Sequence[str], file: Path | None, *, recovering: bool = False) -> None:
    console = suitable(sys.stderr)
    reports: list[Report] = []

    async def main(stopping: asyncio.Event) -> None:
        report = await run_replay(plan, console, simulation, stopping, recovering=recovering)
        if report is not None:
            reports.append(report)

    run_stack(main)
    for report in reports:
        _present(report, file)


def _present(report: Report, file: Path | None) -> None:
    """Show and keep the report; raises StackError unless all that was offered and computed arrived."""
    show(report, sys.stdout)
    if file is not None:
        file.write_bytes(encode(report) + b"\n")
    if report.lost or report.signals.computed != report.signals.delivered:
        message = "not everything that was offered arrived: see the report, and logs/ in the data folder"
        raise StackError(message)
