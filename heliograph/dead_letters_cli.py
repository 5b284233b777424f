"""The verbs of ``heliograph dead-letters``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.options import DryRun, Json, RunningDir

if TYPE_CHECKING:
    from heliograph.letters import Options, Wanted

dead_letters = typer.Typer(
    help="Look at what could not be processed, and have it processed again.", no_args_is_help=True
)

Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Letters, by number.")]
Id = Annotated[int, typer.Argument(metavar="ID", help="A letter, by number.")]
Source = Annotated[str | None, typer.Option(help="Only frames, ticks, or folds: frame, tick, or fold.")]
Venue = Annotated[str | None, typer.Option(help="Only of this exchange.")]
Symbol = Annotated[str | None, typer.Option(help="Only of this instrument, like SOL/USD.")]
Kind = Annotated[str | None, typer.Option(help="Only of this kind of signal.")]
Reason = Annotated[str | None, typer.Option(help="Only those whose reason has this in it.")]
Before = Annotated[str | None, typer.Option(metavar="TIME", help="Only those kept before; ISO 8601.")]
Everything = Annotated[bool, typer.Option("--all", help="All that there are, when nothing else is said.")]


@dead_letters.command("list")
def list_(  # noqa: PLR0913 - its options
    *,
    source: Source = None,
    venue: Venue = None,
    symbol: Symbol = None,
    kind: Kind = None,
    reason: Reason = None,
    before: Before = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    data_dir: RunningDir = None,
    as_json: Json = False,
) -> None:
    """Show dead letters, the newest first; all filters that are given must match."""
    from heliograph import letters

    wanted = _wanted(None, source, venue, symbol, kind, reason, before)
    letters.show_all(wanted, limit, _options(data_dir, as_json=as_json))


@dead_letters.command()
def show(letter: Id, *, data_dir: RunningDir = None, as_json: Json = False) -> None:
    """Show one letter whole, with what came."""
    from heliograph import letters

    letters.show(letter, _options(data_dir, as_json=as_json))


@dead_letters.command()
def requeue(  # noqa: PLR0913 - its options
    ids: Ids = None,
    *,
    source: Source = None,
    venue: Venue = None,
    symbol: Symbol = None,
    kind: Kind = None,
    reason: Reason = None,
    before: Before = None,
    everything: Everything = False,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Start stopped kinds again and repair what they missed: of these letters, or of all that match."""
    from heliograph import letters

    wanted = _wanted(ids, source, venue, symbol, kind, reason, before)
    options = _options(data_dir, as_json=as_json, dry_run=dry_run, everything=everything)
    letters.requeue(wanted, options)


@dead_letters.command()
def drop(  # noqa: PLR0913 - its options
    ids: Ids = None,
    *,
    source: Source = None,
    venue: Venue = None,
    symbol: Symbol = None,
    kind: Kind = None,
    reason: Reason = None,
    before: Before = None,
    everything: Everything = False,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Forget letters, or all that match; those of kinds that are still stopped are kept."""
    from heliograph import letters

    wanted = _wanted(ids, source, venue, symbol, kind, reason, before)
    options = _options(data_dir, as_json=as_json, dry_run=dry_run, everything=everything)
    letters.drop(wanted, options)


def _wanted(ids: list[int] | None, *filters: str | None) -> "Wanted":
    from heliograph.letters import Wanted

    return Wanted(ids, *filters)


def _options(
    data_dir: Path | None, *, as_json: bool, dry_run: bool = False, everything: bool = False
) -> "Options":
    from heliograph.letters import Options

    return Options(data_dir, as_json, dry_run, everything)
