"""``heliograph import``: its options."""

from pathlib import Path
from typing import Annotated

import typer


def import_(  # noqa: PLR0913 - these are its options
    *,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, metavar="FILE...")],
    format_: Annotated[str, typer.Option("--format", help="binance-vision, tardis, kraken-csv, or generic.")],
    venue: Annotated[str, typer.Option(help="Whose trades these are.")],
    symbol: Annotated[str, typer.Option(help="What was traded, like SOL/USD.")],
    columns: Annotated[
        str,
        typer.Option(
            metavar="WHAT=NAME,...",
            help="Of generic: which column is ts, price, size, trade_id, side, buyer_made, exchange, symbol, "
            "received_at; by name, or by number from 1.",
            show_default="called so",
        ),
    ] = "",
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Where rows that are refused are told.",
            show_default="FILE.rejects.csv here",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a running up.", show_default="HELIOGRAPH_DATABASE_URL, or up's own folder"
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read every row, say what would be done, and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, at the end.")] = False,
) -> None:
    """Store the trades of files, once each; the same again stores nothing."""
    from heliograph import importing

    asked = (format_, venue, symbol, columns, rejects, data_dir, dry_run, as_json)
    importing.import_(importing.Options(files, *asked))
