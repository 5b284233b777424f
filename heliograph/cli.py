"""The command line. Every command imports what it needs when it runs, so that --help is quick."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph import checks, demonstration
from heliograph.dead_letters_cli import dead_letters
from heliograph.feeds_cli import feeds
from heliograph.files_cli import export, import_, storage
from heliograph.jobs_cli import backfill, jobs, recompute
from heliograph.models_cli import models
from heliograph.parameters_cli import parameters
from heliograph.query_cli import query
from heliograph.retention_cli import retention
from heliograph.schedule_cli import schedule

if TYPE_CHECKING:
    from runtime.lifecycle import Main

app = typer.Typer(
    name="heliograph",
    help="Market intelligence on your own machine: ticks in, signals out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
ingest = typer.Typer(help="Listen to venues and store what they say.", no_args_is_help=True)
worker = typer.Typer(help="Turn ticks into bars and signals.", no_args_is_help=True)
db = typer.Typer(help="Look after the database's schema.", no_args_is_help=True)
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
RunningDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Folder of a stack that runs. Left out: what the environment says, else up's own."
    ),
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


ProxyHeaders = Annotated[
    bool,
    typer.Option(
        "--proxy-headers",
        help="Believe the proxies of HELIOGRAPH_API_PROXIES in who asks, by X-Forwarded-For.",
    ),
]


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


@app.command()
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

    _run(follow(channels, url, data_dir, as_json=as_json), quietly=True)


app.command()(query)
app.command("import")(import_)
app.command()(backfill)
app.command()(recompute)
app.command()(export)
app.command()(storage)


@app.command()
def explain(
    signal_id: Annotated[str, typer.Argument(metavar="ID", help="The `id` of a signal.")],
    *,
    limit: Annotated[int, typer.Option(min=1, help="Ticks, and steps, at most: the newest.")] = 20,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show why a signal was told; exit with 1 if the stored ticks decide otherwise today."""
    from heliograph.explaining import explain as why

    raise typer.Exit(why(signal_id, limit, data_dir, as_json=as_json))


@app.command()
def config() -> None:
    """Show every setting: its value, its unit, and where it comes from."""
    import sys

    from heliograph.configuration import show, unknown

    show(sys.stdout)
    for sentence in unknown():
        typer.echo(f"heliograph: {sentence}", err=True)


@app.command()
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


@app.command()
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


@app.command()
def top(
    *,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds from look to look.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, print, and end.")] = False,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a look.")] = False,
) -> None:
    """Watch feeds, rates, lag, queues, processes, signals, and gaps, until Ctrl-C."""
    from heliograph import top as watching

    _run(watching.top(every, data_dir, once=once, as_json=as_json), quietly=True)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new one.")], data_dir: RunningDir = None
) -> None:
    """Write everything into FOLDER, as of one moment, while everything goes on."""
    from heliograph import backups

    backups.backup(folder, data_dir)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False)],
    *,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="A new folder, for `up --data-dir`. Left out: the environment's database, which is empty."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
) -> None:
    """Restore FOLDER into an empty database and compare every table; exit with 1 unless all is equal."""
    from heliograph import backups

    backups.restore(folder, data_dir, dry_run=dry_run)


@app.command()
def audit(
    noun: Annotated[
        str | None, typer.Argument(metavar="[NOUN]", help="Only of this, like feeds. Left out: all.")
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20,
    data_dir: RunningDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show who changed what by command line or API, and when."""
    from heliograph import auditing

    auditing.show(noun, limit, data_dir, as_json=as_json)


@app.command()
def health(
    role: Annotated[str, typer.Argument(callback=checks.role, help="A role, like worker-live.")],
    data_dir: RunningDir = None,
) -> None:
    """Exit with 0 if a process of ROLE on this host beat lately; for container health checks."""
    from heliograph import commands

    commands.health(role, data_dir)


@ingest.command("live")
def ingest_live() -> None:
    """Be an ingester of the feeds in HELIOGRAPH_INGEST_FEEDS."""
    from ingest.__main__ import run

    _run(run)


@ingest.command("history")
def ingest_history() -> None:
    """Heal gaps from what venues remember, niced."""
    from ingest.history.__main__ import run

    _run(run)


@worker.command("live")
def worker_live(
    *,
    processes: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto",
            callback=checks.processes,
            help="Be so many, each a process of its own; auto: as many as batches wait for.",
            show_default="this process alone",
        ),
    ] = None,
    least: Annotated[int, typer.Option(min=1, help="Of auto.")] = 1,
    most: Annotated[int | None, typer.Option(min=1, help="Of auto.", show_default="a core each")] = None,
) -> None:
    """Be a worker of the live pool."""
    if processes is None:
        from workers.__main__ import run_live

        _run(run_live)
    else:
        from functools import partial

        from heliograph import pool

        _run(partial(pool.run, *checks.pool(processes, least, most)))


@worker.command("backfill")
def worker_backfill() -> None:
    """Be a worker of the backfill pool, niced."""
    from workers.__main__ import run_backfill

    _run(run_backfill)


@worker.command("scoring")
def worker_scoring() -> None:
    """Score closed minutes by the models in use."""
    from workers.__main__ import run_scoring

    _run(run_scoring)


@app.command()
def scheduler() -> None:
    """Be the scheduler, or stand by."""
    from workers.__main__ import run_scheduler

    _run(run_scheduler)


@app.command()
def api(proxy_headers: ProxyHeaders = False) -> None:  # noqa: FBT002 - an option by name
    """Serve REST, the stream, and the page."""
    from functools import partial

    from api.__main__ import run
    from ingest.naming import instrument_named
    from workers.explaining import explain

    _run(partial(run, instrument_named, explain, proxy_headers=proxy_headers))


@db.command()
def migrate(data_dir: RunningDir = None) -> None:
    """Bring the database to this version's schema."""
    from heliograph import commands

    commands.migrate(data_dir)


@db.command()
def status(data_dir: RunningDir = None) -> None:
    """Show the database's revision; exit with 1 if it is not the newest."""
    from heliograph import commands

    commands.status(data_dir)


def _run(main: "Main", *, quietly: bool = False) -> None:
    """Be a program until told to stop; ``quietly``: only what is amiss is logged."""
    from runtime import logs
    from runtime.lifecycle import run_until_stopped
    from runtime.settings import RuntimeSettings

    settings = RuntimeSettings()
    logs.configure(settings.model_copy(update={"log_level": "warning"}) if quietly else settings)
    run_until_stopped(main, settings.parent_fd)
