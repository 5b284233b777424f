"""``heliograph demo`` and ``heliograph replay``: a run on a simulated venue, and its report."""

import asyncio
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec
import typer

from api.settings import ApiSettings
from heliograph.chaos.plan import EVERY_KIND
from heliograph.console import suitable
from heliograph.data_folders import Purpose, default_folder
from heliograph.demonstration import Market
from heliograph.endings import INTERRUPTED
from heliograph.ports import chosen, preferred_or_free
from heliograph.replay import replayed
from heliograph.reports import Report, encode, show
from heliograph.settings import StackSettings
from heliograph.stack import Plan, run_stack
from heliograph.venues import recorded
from market.errors import InvalidInputError, StackError

NEXT = """
What to try next, each as it stands:
  {command} demo --seconds 0{options}
      until Ctrl-C, so that in another terminal there is time for
  curl '{page}v1/signals?limit=5'
  {command} tail 'signals:*:*' --url {page}
      and for a live venue, which needs no key
  {command} up --venue kraken:SOL/USD,BTC/USD
"""


class Rehearsal(NamedTuple):
    """What the simulated venue plays, and what becomes of it. An endless tape is ended by Ctrl-C."""

    simulation: Sequence[str]
    report: Path | None
    endless: bool = False
    stay: bool = False
    recovering: bool = False


class Options(NamedTuple):
    """What both commands can be told."""

    report: Path | None
    data_dir: Path | None
    port: int | None


def demo(options: Options, market: Market) -> None:
    """Run everything on a venue that makes its market up, and report."""
    plan = _plan(options, default_folder("demo"))
    rehearsal = Rehearsal(
        market.arguments(), options.report, endless=not market.seconds, recovering=bool(market.faults)
    )
    status = _run(plan, rehearsal)
    sys.stderr.write(_next(plan, options))
    raise typer.Exit(status)


def replay(options: Options, *, files: Sequence[Path], venue: str, speed: str, stay: bool) -> None:
    """Play recordings through everything, and report; ``stay`` up to be looked at."""
    plan = replace(_plan(options, default_folder("replay")), recorded=True)
    raise typer.Exit(_run(plan, Rehearsal(recorded(venue, files, speed), options.report, stay=stay)))


def chaos(  # noqa: PLR0913 - these are its options
    options: Options,
    *,
    seed: int,
    minutes: float,
    every_seconds: float,
    venues: Sequence[str],
    kinds: Sequence[str],
    load: float,
) -> None:
    """Break everything on venues that make their markets up, and judge what was stored."""
    from heliograph.chaos import command

    known = [market.venue for market in command.MARKETS]
    if unknown := set(venues) - set(known):
        message = f"no simulated venue {min(unknown)!r}; choose from {', '.join(known)}"
        raise InvalidInputError(message)
    if strange := set(kinds) - set(EVERY_KIND):
        message = f"no strike {min(strange)!r}; choose from {', '.join(EVERY_KIND)}"
        raise InvalidInputError(message)
    plan = _plan(options, default_folder("chaos"))
    plan = replace(plan, live_workers=max(plan.live_workers, command.LIVE_WORKERS))
    command.chaos(
        plan,
        seed=seed,
        minutes=minutes,
        every_seconds=every_seconds,
        venues=venues or known,
        kinds=kinds or EVERY_KIND,
        load=load,
        report=options.report,
    )


def _plan(options: Options, folder: Path) -> Plan:
    """Return a plan on stores of its own, whatever the environment says: these ticks meet no real ones."""
    api = ApiSettings()
    port = preferred_or_free(api.host, api.port) if options.port is None else chosen(api.host, options.port)
    return Plan(
        data_dir=options.data_dir or folder,
        purpose=Purpose.SIMULATED,
        host=api.host,
        port=port,
        live_workers=StackSettings().live_workers,
    )


def _run(plan: Plan, rehearsal: Rehearsal) -> int:
    """Run, report, and return the exit status: that of Ctrl-C where a tape was stopped before its end."""
    console = suitable(sys.stderr)
    reports: list[Report] = []

    async def main(stopping: asyncio.Event) -> None:
        recovering = rehearsal.recovering
        async with replayed(plan, console, rehearsal.simulation, stopping, recovering=recovering) as report:
            if report is not None:
                reports.append(_whole(report, rehearsal))
            if reports and rehearsal.stay:
                console.close()
                _present(reports[0], rehearsal.report)
                console.say(f"{plan.page} stays up, with all that {plan.data_dir} holds, until Ctrl-C")
                await stopping.wait()

    run_stack(main)
    return _concluded(reports, rehearsal)


def _whole(report: Report, rehearsal: Rehearsal) -> Report:
    """Return the report; an endless tape is complete whenever it is stopped."""
    return msgspec.structs.replace(report, complete=report.complete or rehearsal.endless)


def _concluded(reports: Sequence[Report], rehearsal: Rehearsal) -> int:
    """Present what was not yet; raises StackError unless all that was offered and computed arrived."""
    for report in reports:
        if not rehearsal.stay:
            _present(report, rehearsal.report)
        if report.lost or report.signals.computed != report.signals.delivered:
            message = "not everything that was offered arrived: see the report, and logs/ in the data folder"
            raise StackError(message)
    played = rehearsal.endless or any(report.complete for report in reports)
    return 0 if played else INTERRUPTED


def _present(report: Report, file: Path | None) -> None:
    """Show and keep the report."""
    show(report, sys.stdout)
    sys.stdout.flush()
    if file is not None:
        file.write_bytes(encode(report) + b"\n")


def _next(plan: Plan, options: Options) -> str:
    """Return what to type next, so that it works in this shell and meets this port and folder."""
    folder = "" if options.data_dir is None else f" --data-dir {shlex.quote(str(options.data_dir))}"
    return NEXT.format(command=_command(), page=plan.page, options=f" --port {plan.port}{folder}")


def _command() -> str:
    """Return how this program is called from here."""
    ours = Path(sys.executable).with_name("heliograph")
    found = shutil.which("heliograph")
    if found is not None and Path(found).resolve() == ours.resolve():
        return "heliograph"
    if not ours.exists():
        return f"{shlex.quote(sys.executable)} -m heliograph"
    return shlex.quote(os.path.relpath(ours) if ours.is_relative_to(Path.cwd()) else str(ours))
