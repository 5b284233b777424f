"""The verbs of ``heliograph retention``."""

from pathlib import Path
from typing import Annotated

import typer

from heliograph.options import Json, RunningDir

retention = typer.Typer(
    help="See how long ticks are kept, and drop days that are older.", no_args_is_help=True
)


@retention.command()
def show(*, data_dir: RunningDir = None, as_json: Json = False) -> None:
    """Show how long ticks are kept, which days are older, and which of them are kept all the same."""
    from heliograph import keeping

    keeping.show(keeping.Options(data_dir, None, dry_run=True, as_json=as_json))


@retention.command()
def apply(
    *,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Write each day there first, as Parquet.",
            show_default="HELIOGRAPH_RETENTION_EXPORT_DIR",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be dropped, and drop nothing.")
    ] = False,
    data_dir: RunningDir = None,
    as_json: Json = False,
) -> None:
    """Drop whole days of ticks that are older than they are kept, now."""
    from heliograph import keeping

    keeping.apply(keeping.Options(data_dir, export, dry_run, as_json))
