"""Options that many commands have."""

from pathlib import Path
from typing import Annotated

import typer

RunningDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder of a running up.",
        show_default="HELIOGRAPH_DATABASE_URL, or up's own folder",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
