"""What ``heliograph up`` does, and the commands that ask about or change what runs."""

import asyncio
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from api.settings import ApiSettings
from bus.settings import BusSettings
from db.connections import connected
from db.migrating import migrate as bring_to_newest
from db.migrating import status as revisions
from db.processes import seconds_since_beat
from db.settings import DatabaseSettings
from heliograph import feeds
from heliograph.console import suitable
from heliograph.data_folders import Purpose, default_folder
from heliograph.ports import chosen
from heliograph.settings import StackSettings
from heliograph.stack import Plan, run_stack, running
from heliograph.whereabouts import database_url
from ingest.settings import IngestSettings

FRESH_SECONDS = 10.0


def up(data_dir: Path | None, port: int | None, venues_wanted: Sequence[str]) -> None:
    """Run everything, with live feeds, until told to stop."""
    settings, api = StackSettings(), ApiSettings()
    wanted = [feeds.parse(option) for option in venues_wanted] or _configured_feeds()
    plan = Plan(
        data_dir=data_dir or settings.data_dir or default_folder("up"),
        purpose=Purpose.LIVE,
        host=api.host,
        port=chosen(api.host, api.port if port is None else port),
        live_workers=settings.live_workers,
        database_url=_given(DatabaseSettings()),
        redis_url=_given(BusSettings()),
    )
    console = suitable(sys.stdout)

    async def main(stopping: asyncio.Event) -> None:
        async with running(plan, console) as stack:
            await stack.start_roles()
            await stack.start_ingest(wanted)
            if not wanted and not await stack.listens():
                where = f" --data-dir {data_dir}" if data_dir else ""
                console.say(f"no venue is listened to: heliograph feeds add kraken SOL/USD BTC/USD{where}")
            await stopping.wait()

    run_stack(main)


def health(role: str, data_dir: Path | None) -> None:
    """Exit with 0 if a process of the role on this host beat lately."""
    url = database_url(data_dir)

    async def ask() -> float | None:
        async with connected(url, "heliograph health") as connection:
            return await seconds_since_beat(connection, role, socket.gethostname())

    age = asyncio.run(ask())
    typer.echo(f"no {role} runs on this host" if age is None else f"{role} was seen {age:.1f} s ago")
    raise typer.Exit(0 if age is not None and age < FRESH_SECONDS else 1)


def migrate(data_dir: Path | None) -> None:
    """Bring the database to this version's schema."""
    revision = asyncio.run(bring_to_newest(database_url(data_dir), DatabaseSettings().shards))
    typer.echo(f"the database is at revision {revision}")


def status(data_dir: Path | None) -> None:
    """Show the database's revision; exit with 1 if it is not the newest."""
    current, newest = asyncio.run(revisions(database_url(data_dir)))
    typer.echo(f"the database is at revision {current or 'none'}, the newest is {newest}")
    raise typer.Exit(0 if current == newest else 1)


def _configured_feeds() -> list[feeds.Feed]:
    return [feed.model_dump(mode="json", exclude_none=True) for feed in IngestSettings().feeds]


def _given(settings: DatabaseSettings | BusSettings) -> str | None:
    """Return the URL that was set, or None where there is only the default: then the embedded store."""
    return settings.url.get_secret_value() if "url" in settings.model_fields_set else None
