"""The command line. Every command imports what it needs when it runs, so that --help is quick."""

from pathlib import Path
from typing import Annotated

import typer

from heliograph import checks, demonstration
from heliograph.dead_letters_cli import dead_letters
from heliograph.feeds_cli import feeds
from heliograph.files_cli import backup, export, import_, restore, storage
from heliograph.jobs_cli import backfill, jobs, recompute
from heliograph.looking_cli import audit, config, doctor, explain, tail, top, verify
from heliograph.models_cli import models
from heliograph.parameters_cli import parameters
from heliograph.query_cli import query
from heliograph.retention_cli import retention
from heliograph.roles_cli import api, db, health, ingest, scheduler, worker
from heliograph.schedule_cli import schedule

app = typer.Typer(
    name="heliograph",
    help="Market intelligence on your own machine: ticks in, signals out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(ingest, name="ingest")
app.add_typer(worker, name="worker")
app.add_typer(feeds, name="feeds")
app.add_typer(parameters, name="parameters")
app.add_typer(models, name="models")
app.add_typer(retention, name="retention")
app.add_typer(jobs, name="jobs")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(schedule, name="schedule")
app.add_typer(db, name="db")

_HOME = "in the user's folder of data"
Port = Annotated[
    int | None,
    typer.Option(
        callback=checks.port,
        help="Port of the page, REST, and WebSocket; 0: any that is free. "
        "Left out: HELIOGRAPH_API_PORT, else 8000.",
    ),
]
OwnPort = Annotated[
    int | None,
    typer.Option(
        callback=checks.port,
        help="Port of the page, REST, and WebSocket; 0: any that is free. "
        "Left out: HELIOGRAPH_API_PORT, else 8000, if it is free.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(help=f"Folder of the data. Left out: HELIOGRAPH_DATA_DIR, else heliograph/up {_HOME}."),
]
DemoDir = Annotated[
    Path | None, typer.Option("--data-dir", help=f"Folder of the data. Left out: heliograph/demo {_HOME}.")
]
ReplayDir = Annotated[
    Path | None, typer.Option("--data-dir", help=f"Folder of the data. Left out: heliograph/replay {_HOME}.")
]
ChaosDir = Annotated[
    Path | None, typer.Option("--data-dir", help=f"Folder of the data. Left out: heliograph/chaos {_HOME}.")
]
ReportFile = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", callback=checks.report, help="Write the report as JSON."),
]


def _show_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        from importlib.metadata import version

        typer.echo(f"heliograph {version('heliograph')}")
        raise typer.Exit


@app.callback()
def heliograph(
    *,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Market intelligence on your own machine: ticks in, signals out."""


@app.command()
def up(
    data_dir: DataDir = None,
    port: Port = None,
    venue: Annotated[
        list[str] | None,
        typer.Option(callback=checks.live, help="A live feed, VENUE:SYMBOL,SYMBOL; may be repeated."),
    ] = None,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    from heliograph import commands

    commands.up(data_dir, port, venue or [])


@app.command()
def demo(  # noqa: PLR0913  # these are its options
    *,
    seconds: Annotated[
        float,
        typer.Option(callback=checks.length, help="Length of the market that is made up; 0: until Ctrl-C."),
    ] = 60,
    report: ReportFile = None,
    data_dir: DemoDir = None,
    port: OwnPort = None,
    seed: Annotated[int, typer.Option(help="What the made-up market follows from.")] = 7,
    rate: Annotated[float, typer.Option(callback=checks.rate, help="Made-up ticks a second.")] = 200,
    venue: Annotated[
        str,
        typer.Option(callback=checks.simulated, help="Whose protocol: binance, coinbase, or kraken."),
    ] = "binance",
    profile: Annotated[
        str | None,
        typer.Option(callback=demonstration.profile, help="Ticks over time, in place of --rate: earnings."),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            callback=demonstration.faults, help="What goes wrong, and when, like gap@10s; repeatable."
        ),
    ] = None,
) -> None:
    """Run everything on a simulated venue that makes its market up, and report."""
    from heliograph import rehearsals

    made_up = demonstration.Market(venue, seconds, seed, rate, profile, fault or ())
    rehearsals.demo(rehearsals.Options(report, data_dir, port), made_up)


@app.command()
def replay(  # noqa: PLR0913  # these are its options
    *,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, metavar="FILE...")],
    venue: Annotated[
        str,
        typer.Option(callback=checks.simulated, help="Whose frames these are: binance, coinbase, or kraken."),
    ],
    speed: Annotated[
        str, typer.Option(callback=checks.speed, help="Multiple of recorded time, or max.")
    ] = "1",
    stay: Annotated[
        bool, typer.Option("--stay", help="Keep the page and the API up after the report, until Ctrl-C.")
    ] = False,
    report: ReportFile = None,
    data_dir: ReplayDir = None,
    port: OwnPort = None,
) -> None:
    """Play recorded frames through the whole path, and report."""
    from heliograph import rehearsals

    checks.playable(venue, files)
    options = rehearsals.Options(report, data_dir, port)
    rehearsals.replay(options, files=files, venue=venue, speed=speed, stay=stay)


@app.command()
def chaos(  # noqa: PLR0913  # these are its options
    *,
    seed: Annotated[int, typer.Option(help="What goes wrong, and when, follows from it.")] = 7,
    minutes: Annotated[float, typer.Option(min=0.5, help="How long the markets go on.")] = 10,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds from strike to strike, about.")] = 4,
    venue: Annotated[
        list[str] | None, typer.Option(help="Only these; repeatable.", show_default="all three")
    ] = None,
    strikes: Annotated[
        str | None,
        typer.Option(
            metavar="KIND,...", help="Only these, like kill-worker,reset.", show_default="every kind"
        ),
    ] = None,
    load: Annotated[float, typer.Option(min=0.1, help="Times as many frames as usual.")] = 1.0,
    report: ReportFile = None,
    data_dir: ChaosDir = None,
    port: OwnPort = None,
) -> None:
    """Break everything on simulated venues, then compare what was stored with what truly happened."""
    from heliograph import rehearsals

    rehearsals.chaos(
        rehearsals.Options(report, data_dir, port),
        seed=seed,
        minutes=minutes,
        every_seconds=every,
        venues=venue or (),
        kinds=strikes.split(",") if strikes else (),
        load=load,
    )


app.command()(tail)
app.command()(query)
app.command("import")(import_)
app.command()(backfill)
app.command()(recompute)
app.command()(export)
app.command()(storage)
for command in (explain, config, doctor, verify, top, backup, restore, audit, health, scheduler, api):
    app.command()(command)
