"""Commands that are one role of the house, and those that look after its database."""

from typing import Annotated

import typer

from heliograph import checks
from heliograph.options import RunningDir
from heliograph.running import be

ingest = typer.Typer(help="Listen to venues and store what they say.", no_args_is_help=True)
worker = typer.Typer(help="Turn ticks into bars and signals.", no_args_is_help=True)
db = typer.Typer(help="Look after the database's schema.", no_args_is_help=True)

ProxyHeaders = Annotated[
    bool,
    typer.Option(
        "--proxy-headers",
        help="Believe the proxies of HELIOGRAPH_API_PROXIES in who asks, by X-Forwarded-For.",
    ),
]


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

    be(run)


@ingest.command("history")
def ingest_history() -> None:
    """Heal gaps from what venues remember, niced."""
    from ingest.history.__main__ import run

    be(run)


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

        be(run_live)
    else:
        from functools import partial

        from heliograph import pool

        be(partial(pool.run, *checks.pool(processes, least, most)))


@worker.command("backfill")
def worker_backfill() -> None:
    """Be a worker of the backfill pool, niced."""
    from workers.__main__ import run_backfill

    be(run_backfill)


@worker.command("scoring")
def worker_scoring() -> None:
    """Score closed minutes by the models in use."""
    from workers.__main__ import run_scoring

    be(run_scoring)


def scheduler() -> None:
    """Be the scheduler, or stand by."""
    from workers.__main__ import run_scheduler

    be(run_scheduler)


def api(proxy_headers: ProxyHeaders = False) -> None:  # noqa: FBT002 - an option by name
    """Serve REST, the stream, and the page."""
    from functools import partial

    from api.__main__ import run
    from heliograph.explanations import explain
    from ingest.naming import instrument_named

    be(partial(run, instrument_named, explain, proxy_headers=proxy_headers))


@db.command()
def migrate(data_dir: RunningDir = None) -> None:
    """Bring the database to this version's schema."""
    from heliograph import commands

    commands.migrate(data_dir)


@db.command()
def logins(
    *,
    sql: Annotated[bool, typer.Option("--sql", help="Print the statements, and do nothing.")] = False,
    data_dir: RunningDir = None,
) -> None:
    """Make the database roles that programs log in as, each with the rights that it needs."""
    from heliograph import logins as house

    if sql:
        house.show(data_dir)
    else:
        house.make(data_dir)


@db.command()
def status(data_dir: RunningDir = None) -> None:
    """Show the database's revision; exit with 1 if it is not the newest."""
    from heliograph import commands

    commands.status(data_dir)
