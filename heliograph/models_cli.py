"""The verbs of ``heliograph models``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.options import DryRun, Json, RunningDir

if TYPE_CHECKING:
    from heliograph.trained_models import Options

models = typer.Typer(help="Train models on stored history, and say which ones score.", no_args_is_help=True)

ModelId = Annotated[int, typer.Argument(metavar="MODEL", help="Its number, as `models list` shows it.")]


@models.command("list")
def list_(*, data_dir: RunningDir = None, as_json: Json = False) -> None:
    """Show every trained model, and which ones are in use."""
    from heliograph import trained_models

    trained_models.show_all(_options(data_dir, as_json=as_json))


@models.command()
def show(model: ModelId, *, data_dir: RunningDir = None, as_json: Json = False) -> None:
    """Show what MODEL was trained on, with what, how it did, and whether it loads."""
    from heliograph import trained_models

    trained_models.show(model, _options(data_dir, as_json=as_json))


@models.command()
def train(
    instruments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VENUE:SYMBOL]...", help="Left out: all that have enough history."),
    ] = None,
    *,
    days: Annotated[
        float | None, typer.Option(min=0.01, help="At most so many, up to the newest minute.")
    ] = None,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Have the backfill lane train models now; those that pass their check are promoted."""
    from heliograph import trained_models

    trained_models.train(instruments or [], days, _options(data_dir, as_json=as_json, dry_run=dry_run))


@models.command()
def promote(
    model: ModelId, *, data_dir: RunningDir = None, as_json: Json = False, dry_run: DryRun = False
) -> None:
    """Put MODEL to use, if it passes its check beside the one in use; exit with 1 if not."""
    from heliograph import trained_models

    trained_models.promote(model, _options(data_dir, as_json=as_json, dry_run=dry_run))


def _options(data_dir: Path | None, *, as_json: bool, dry_run: bool = False) -> "Options":
    from heliograph.trained_models import Options

    return Options(data_dir, as_json, dry_run)
