"""The verbs of ``heliograph feeds``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.options import DryRun, Json, RunningDir

if TYPE_CHECKING:
    from heliograph.subscriptions import Options

feeds = typer.Typer(help="Say what is listened to, while everything runs.", no_args_is_help=True)

Venue = Annotated[str, typer.Argument(metavar="VENUE", help="binance, coinbase, or kraken.")]
Symbols = Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Like SOL/USD, or BTC/USDT:USDT.")]


@feeds.command("list")
def list_(*, data_dir: RunningDir = None, as_json: Json = False) -> None:
    """Show every feed, its state, and who listens to it."""
    from heliograph import subscriptions

    subscriptions.show(_options(data_dir, as_json=as_json))


@feeds.command()
def add(  # noqa: PLR0913 - its options
    venue: Venue,
    symbols: Symbols,
    *,
    protocol: Annotated[str | None, typer.Option(help="Version of the venue's protocol.")] = None,
    stream_url: Annotated[str | None, typer.Option(help="In place of the venue's own socket.")] = None,
    rest_url: Annotated[str | None, typer.Option(help="In place of the venue's own REST.")] = None,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Listen to SYMBOLs of VENUE, beginning with their recent past."""
    from heliograph import subscriptions

    subscriptions.add(
        venue,
        symbols,
        protocol=protocol,
        urls=(stream_url, rest_url),
        options=_options(data_dir, as_json=as_json, dry_run=dry_run),
    )


@feeds.command()
def remove(
    venue: Venue,
    symbols: Symbols,
    *,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Listen to SYMBOLs no more; what was stored stays."""
    from heliograph import subscriptions

    options = _options(data_dir, as_json=as_json, dry_run=dry_run)
    subscriptions.change(subscriptions.REMOVE, venue, symbols, options)


@feeds.command()
def pause(
    venue: Venue,
    symbols: Symbols,
    *,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Stop listening to SYMBOLs until they are resumed."""
    from heliograph import subscriptions

    options = _options(data_dir, as_json=as_json, dry_run=dry_run)
    subscriptions.change(subscriptions.PAUSE, venue, symbols, options)


@feeds.command()
def resume(
    venue: Venue,
    symbols: Symbols,
    *,
    data_dir: RunningDir = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Listen again to SYMBOLs that were paused or closed."""
    from heliograph import subscriptions

    options = _options(data_dir, as_json=as_json, dry_run=dry_run)
    subscriptions.change(subscriptions.RESUME, venue, symbols, options)


def _options(data_dir: Path | None, *, as_json: bool, dry_run: bool = False) -> "Options":
    from heliograph.subscriptions import Options

    return Options(data_dir, as_json, dry_run)
