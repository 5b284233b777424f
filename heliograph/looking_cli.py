"""Commands that look at what runs, and change nothing."""

from typing import Annotated

import typer

from heliograph import checks
from heliograph.options import Json, RunningDir
from heliograph.running import be


def tail(
    *,
    channels: Annotated[
        list[str], typer.Argument(metavar="CHANNEL...", help="Like signals:kraken:SOL/USD; * is any.")
    ],
    url: Annotated[
        str | None,
        typer.Option(callback=checks.address, help="Address of the API. Left out: as --data-dir says."),
    ] = None,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print frames of JSON, as they came.")] = False,
) -> None:
    """Print what is told on channels as it comes, through lost connections, until Ctrl-C."""
    from heliograph.tailing import tail as follow

    be(follow(channels, url, data_dir, as_json=as_json), quietly=True)


def explain(
    signal_id: Annotated[str, typer.Argument(metavar="ID", help="The `id` of a signal.")],
    *,
    limit: Annotated[int, typer.Option(min=1, help="Ticks, and steps, at most: the newest.")] = 20,
    data_dir: RunningDir = None,
    as_json: Json = False,
) -> None:
    """Show why a signal was told; exit with 1 if the stored ticks decide otherwise today."""
    from heliograph.explaining import explain as why

    raise typer.Exit(why(signal_id, limit, data_dir, as_json=as_json))


def config() -> None:
    """Show every setting: its value, its unit, and where it comes from."""
    import sys

    from heliograph.configuration import show, unknown

    show(sys.stdout)
    for sentence in unknown():
        typer.echo(f"heliograph: {sentence}", err=True)


def doctor(  # noqa: PLR0913  # these are its options
    *,
    venue: Annotated[
        list[str] | None,
        typer.Option(callback=checks.live, help="Listen to this too, VENUE:SYMBOL,SYMBOL; may be repeated."),
    ] = None,
    seconds: Annotated[float, typer.Option(callback=checks.length, help="How long to listen.")] = 15,
    stream_url: Annotated[str | None, typer.Option(help="In place of the venue's own socket.")] = None,
    rest_url: Annotated[str | None, typer.Option(help="In place of the venue's own REST.")] = None,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, at the end.")] = False,
) -> None:
    """Check the setup, and a venue, and say what to mend; exit with 1 if something is wrong."""
    from heliograph import doctor as practice

    practice.doctor(practice.Options(venue or [], seconds, data_dir, as_json, (stream_url, rest_url)))


def verify(
    *,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="MOMENT", help="Left out: where each tape begins.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="MOMENT", help="Left out: now.")] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(metavar="VENUE:SYMBOL", help="Only this; repeatable.", show_default="all"),
    ] = None,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, at the end.")] = False,
) -> None:
    """Compute what is stored again and compare byte for byte; exit with 1 if anything differs."""
    from heliograph import verifying

    verifying.verify(verifying.Options(from_, to, instrument or [], data_dir, as_json))


def top(
    *,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds from look to look.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, print, and end.")] = False,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a look.")] = False,
) -> None:
    """Watch feeds, rates, lag, queues, processes, signals, and gaps, until Ctrl-C."""
    from heliograph import top as watching

    be(watching.top(every, data_dir, once=once, as_json=as_json), quietly=True)


def audit(
    noun: Annotated[
        str | None, typer.Argument(metavar="[NOUN]", help="Only of this, like feeds. Left out: all.")
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20,
    data_dir: RunningDir = None,
    as_json: Json = False,
) -> None:
    """Show who changed what by command line or API, and when."""
    from heliograph import auditing

    auditing.show(noun, limit, data_dir, as_json=as_json)
