"""The commands ``heliograph backfill`` and ``heliograph jobs``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.options import DryRun, Json, RunningDir

if TYPE_CHECKING:
    from heliograph.jobs import Options

jobs = typer.Typer(
    help="Look at long work that was asked for, and change it on the way.", no_args_is_help=True
)

Id = Annotated[int, typer.Argument(metavar="JOB", help="A job, by number.")]


def backfill(  # noqa: PLR0913 - its options
    venue: Annotated[str, typer.Argument(metavar="VENUE", help="binance, coinbase, or kraken.")],
    symbols: Annotated[
        list[str], typer.Argument(metavar="SYMBOL...", help="Like SOL/USD, or BTC/USDT:USDT.")
    ],
    *,
    from_: Annotated[str, typer.Option("--from", metavar="MOMENT", help="The first moment that is wanted.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="MOMENT", help="Where to end.", show_default="now")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not stay to watch.")] = False,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print lines of JSON.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and do nothing.")] = False,
) -> None:
    """Fetch what is missing of SYMBOLs' past: planned, then followed; Ctrl-C leaves it to go on."""
    from api import moments
    from heliograph import backfilling
    from heliograph.backfills import Asked

    wanted = Asked(venue, symbols, moments.parse(from_), None if to is None else moments.parse(to))
    backfilling.backfill(wanted, _options(data_dir, as_json=as_json, dry_run=dry_run), detach=detach)


def recompute(  # noqa: PLR0913 - its options
    *,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Only since this kind was told by another version of it, if ever.", show_default="all"
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="MOMENT", help="Left out: where each tape begins."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="MOMENT", help="Where to end.", show_default="now")
    ] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(metavar="VENUE:SYMBOL", help="Only this; repeatable.", show_default="all"),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not stay to watch.")] = False,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print lines of JSON.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and do nothing.")] = False,
) -> None:
    """Compute bars, indicators, and signals again from their tapes; what changed is corrected."""
    from api import moments
    from heliograph import recomputing
    from runtime.clock import now

    from_ts = None if from_ is None else moments.parse(from_)
    to_ts = now() if to is None else min(moments.parse(to), now())
    wanted = recomputing.Wanted(kind, instrument or [], from_ts, to_ts)
    recomputing.recompute(wanted, _options(data_dir, as_json=as_json, dry_run=dry_run), detach=detach)


@jobs.command("list")
def list_(
    *,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only of this kind, like heal; repeatable.", show_default="what was asked for"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20,
    data_dir: RunningDir = None,
    as_json: Json = False,
) -> None:
    """Show jobs, the newest first."""
    from heliograph import jobs as work

    work.show_all(kind, limit, _options(data_dir, as_json=as_json))


@jobs.command()
def show(job: Id, *, data_dir: RunningDir = None, as_json: Json = False) -> None:
    """Show a job with its pieces, and what is covered now that was not before."""
    from heliograph import jobs as work

    work.show(job, _options(data_dir, as_json=as_json))


@jobs.command()
def watch(
    job: Id,
    *,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print lines of JSON.")] = False,
) -> None:
    """Follow a job until it is over and computed; exit with 1 if it failed."""
    from heliograph import jobs as work

    work.watch(job, _options(data_dir, as_json=as_json))


@jobs.command()
def pause(job: Id, *, data_dir: RunningDir = None, as_json: Json = False, dry_run: DryRun = False) -> None:
    """Lay a job down after the page that it is at."""
    _change("pause", job, _options(data_dir, as_json=as_json, dry_run=dry_run))


@jobs.command()
def resume(job: Id, *, data_dir: RunningDir = None, as_json: Json = False, dry_run: DryRun = False) -> None:
    """Go on with a job that was paused."""
    _change("resume", job, _options(data_dir, as_json=as_json, dry_run=dry_run))


@jobs.command()
def cancel(job: Id, *, data_dir: RunningDir = None, as_json: Json = False, dry_run: DryRun = False) -> None:
    """End a job before its end; what it stored stays, and is computed."""
    _change("cancel", job, _options(data_dir, as_json=as_json, dry_run=dry_run))


@jobs.command()
def retry(job: Id, *, data_dir: RunningDir = None, as_json: Json = False, dry_run: DryRun = False) -> None:
    """Try again at once what failed, was cancelled, or waits for its next try."""
    _change("retry", job, _options(data_dir, as_json=as_json, dry_run=dry_run))


def _change(verb: str, job: int, options: "Options") -> None:
    from heliograph import jobs as work

    work.change(verb, job, options)


def _options(data_dir: Path | None, *, as_json: bool, dry_run: bool = False) -> "Options":
    from heliograph.jobs import Options

    return Options(data_dir, as_json, dry_run)
