"""Commands that read and write files of what is stored, and tell how much it is."""

from pathlib import Path
from typing import Annotated

import typer

from heliograph.options import DryRun, Json, RunningDir

_EVER = 2**53
"""Microseconds: later than anything."""


def import_(  # noqa: PLR0913 - these are its options
    *,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, metavar="FILE...")],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="binance-vision, tardis, kraken-csv, or generic; bars or signals that were exported.",
        ),
    ],
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
    data_dir: RunningDir = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read every row, say what would be done, and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, at the end.")] = False,
) -> None:
    """Store the trades of files, once each; the same again stores nothing."""
    from heliograph import importing

    asked = (format_, venue, symbol, columns, rejects, data_dir, dry_run, as_json)
    importing.import_(importing.Options(files, *asked))


def storage(
    *,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Have PostgreSQL sample its tables first: rows are what it believes."),
    ] = False,
    room_gib: Annotated[
        float | None,
        typer.Option(
            min=0, help="Free room, in GiB.", show_default="as it is where PostgreSQL is on this machine"
        ),
    ] = None,
    data_dir: RunningDir = None,
    as_json: Json = False,
) -> None:
    """Show what the database takes, by table, index, and day, and for how long there is room."""
    from heliograph import storage as house

    house.show(house.Options(data_dir, fresh, room_gib, as_json))


def export(  # noqa: PLR0913 - these are its options
    *,
    noun: Annotated[str, typer.Argument(metavar="NOUN", help="trades, quotes, depths, bars, or signals.")],
    exchange: Annotated[str, typer.Argument(metavar="EXCHANGE", help="Like kraken.")],
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Like SOL/USD.")],
    from_: Annotated[str | None, typer.Option("--from", metavar="MOMENT", help="Only from here on.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="MOMENT", help="Only what is before.")] = None,
    format_: Annotated[str, typer.Option("--format", help="parquet, csv, or arrow.")] = "parquet",
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder of the files.")] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write files anew that are there.")] = False,
    data_dir: RunningDir = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write trades, bars, or signals to files, one a day, which can be imported again."""
    from api import moments
    from heliograph import exporting

    from_ts = 0 if from_ is None else moments.parse(from_)
    to_ts = _EVER if to is None else moments.parse(to)
    asked = (format_, out, overwrite, data_dir, dry_run, as_json)
    exporting.export(exporting.Options(noun, exchange, symbols, from_ts, to_ts, *asked))


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new one.")], data_dir: RunningDir = None
) -> None:
    """Write everything into FOLDER, as of one moment, while everything goes on."""
    from heliograph import backups

    backups.backup(folder, data_dir)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False)],
    *,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="A new folder, for `up --data-dir`. Left out: the environment's database, which is empty."
        ),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Restore FOLDER into an empty database and compare every table; exit with 1 unless all is equal."""
    from heliograph import backups

    backups.restore(folder, data_dir, dry_run=dry_run)
