"""The verbs of ``heliograph schedule``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.options import DryRun, Json, RunningDir

if TYPE_CHECKING:
    from heliograph.schedules import Options

schedule = typer.Typer(help="See and change what the scheduler does by itself.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A chore, as `schedule list` shows it.")]


@schedule.command("list")
def list_(*, data_dir: RunningDir = None, as_json: Json = False) -> None:
    """Show every chore: when it is done, how it went last, and when it is due."""
    from heliograph import schedules

    schedules.show(_options(data_dir, as_json=as_json))


@schedule.command()
def runs(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Left out: of all chores.")] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20,
    data_dir: RunningDir = None,
    as_json: Json = False,
) -> None:
    """Show the newest runs: when, how long, and what came of each."""
    from heliograph import schedules

    schedules.show_runs(name, limit, _options(data_dir, as_json=as_json))


@schedule.command()
def run(
    name: Name,
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Ask, and do not wait for the end.")] = False,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Have a chore done now, paused or not, and say what came of it; exit with 1 if it failed."""
    from heliograph import schedules

    schedules.run(name, _options(data_dir, as_json=as_json, dry_run=dry_run), detach=detach)


@schedule.command()
def pause(name: Name, *, data_dir: RunningDir = None, as_json: Json = False, dry_run: DryRun = False) -> None:
    """Have a chore done no more until it is resumed."""
    from heliograph import schedules

    schedules.change(schedules.PAUSE, name, _options(data_dir, as_json=as_json, dry_run=dry_run))


@schedule.command()
def resume(
    name: Name, *, data_dir: RunningDir = None, as_json: Json = False, dry_run: DryRun = False
) -> None:
    """Have a chore done again that was paused; at once, if its time went by."""
    from heliograph import schedules

    schedules.change(schedules.RESUME, name, _options(data_dir, as_json=as_json, dry_run=dry_run))


def _options(data_dir: Path | None, *, as_json: bool, dry_run: bool = False) -> "Options":
    from heliograph.schedules import Options

    return Options(data_dir, as_json, dry_run)
