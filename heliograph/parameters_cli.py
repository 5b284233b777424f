"""The verbs of ``heliograph parameters``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.options import DryRun, Json, RunningDir

if TYPE_CHECKING:
    from heliograph.parameters import Options

parameters = typer.Typer(
    help="Choose with which numbers signals are computed, while everything runs.", no_args_is_help=True
)

Venue = Annotated[str, typer.Argument(metavar="VENUE", help="binance, coinbase, or kraken.")]
Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="Like SOL/USD, or BTC/USDT:USDT.")]
Kind = Annotated[str, typer.Argument(metavar="KIND", help="Like rsi.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="TIME", help="Event time from which it counts; ISO 8601.", show_default="in 5 s"
    ),
]


@parameters.command("list")
def list_(
    *,
    venue: Annotated[str | None, typer.Option(help="Only of this exchange.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only of this instrument, like SOL/USD.")] = None,
    data_dir: RunningDir = None,
    as_json: Json = False,
) -> None:
    """Show each kind's own numbers, and what was chosen in place of them, from when on."""
    from heliograph import parameters as chosen

    chosen.show(venue, symbol, _options(data_dir, as_json=as_json))


@parameters.command("set")
def set_(  # noqa: PLR0913 - its options
    venue: Venue,
    symbol: Symbol,
    kind: Kind,
    numbers: Annotated[list[str], typer.Argument(metavar="NAME=NUMBER...", help="Like oversold=25.")],
    *,
    from_: From = None,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Compute KIND of SYMBOL with other numbers; those that are not said stay as they are."""
    _choose(venue, symbol, kind, numbers, from_, _options(data_dir, as_json=as_json, dry_run=dry_run))


@parameters.command()
def reset(  # noqa: PLR0913 - its options
    venue: Venue,
    symbol: Symbol,
    kind: Kind,
    *,
    from_: From = None,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Compute KIND of SYMBOL with the kind's own numbers again."""
    _choose(venue, symbol, kind, [], from_, _options(data_dir, as_json=as_json, dry_run=dry_run))


def _choose(  # noqa: PLR0913, PLR0917 - what, of what, from when on
    venue: str, symbol: str, kind: str, numbers: list[str], from_: str | None, options: "Options"
) -> None:
    from api import moments
    from heliograph import parameters as chosen

    from_ts = moments.parse(from_) if from_ else None
    chosen.choose(chosen.Wanted(venue, symbol, kind, numbers, from_ts), options)


def _options(data_dir: Path | None, *, as_json: bool, dry_run: bool = False) -> "Options":
    from heliograph.parameters import Options

    return Options(data_dir, as_json, dry_run)
