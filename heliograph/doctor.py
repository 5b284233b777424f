"""``heliograph doctor``: what is set up, what is not, and what a venue sends, with what to mend."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import typer

from bus import budgets, publishing
from db import logins, overview
from db.connections import connected
from db.migrating import status
from db.processes import seconds_since_beat
from heliograph.feeds import Feed, parse
from heliograph.roles import ROLES
from heliograph.whereabouts import database_url, redis_url
from ingest.diagnosing import proxy_for
from ingest.listening import Heard, Listener
from ingest.outbound.budgets import Nobody
from ingest.outbound.opening import opened
from ingest.outbound.outbound import Outbound
from ingest.routes import Route
from ingest.settings import FeedSettings, OutboundSettings
from ingest.wanting import wanted
from market.errors import HeliographError, RateLimitedError, StackError
from market.instruments import Instrument
from runtime import logs
from runtime.clock import now
from runtime.settings import RuntimeSettings

FRESH_SECONDS = 10.0
_LIVE = "live"
_SKEW_SECONDS = 2.0
_LEAST_POSTGRES = 180_000


class Outcome(StrEnum):
    """How a check ended. Of a note nothing needs to be mended."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


class Finding(NamedTuple):
    """What a check found, and what to do where something is wrong."""

    outcome: Outcome
    check: str
    what: str


class Options(NamedTuple):
    """What the command is told."""

    venues: Sequence[str]
    seconds: float
    data_dir: Path | None
    as_json: bool
    urls: tuple[str | None, str | None] = (None, None)
    """In place of the venue's own socket and REST."""


def doctor(options: Options) -> None:
    """Print every finding as it is made; exit with 1 if something is wrong."""
    logs.configure(RuntimeSettings().model_copy(update={"log_level": "error"}))
    feeds = [feed_of(venue, options.urls) for venue in options.venues]
    findings = asyncio.run(_all(options, feeds))
    if options.as_json:
        sys.stdout.write(json.dumps([finding._asdict() for finding in findings], indent=2) + "\n")
    raise typer.Exit(any(finding.outcome is Outcome.WRONG for finding in findings))


def feed_of(option: str, urls: tuple[str | None, str | None]) -> FeedSettings:
    """Return the feed of ``--venue kraken:SOL/USD``."""
    feed: Feed = parse(option)
    return FeedSettings.model_validate({**feed, "stream_url": urls[0], "rest_url": urls[1]})


async def _all(options: Options, feeds: Sequence[FeedSettings]) -> list[Finding]:
    findings = []
    async for finding in _examined(options, feeds):
        findings.append(finding)
        if not options.as_json:
            sys.stdout.write(f"{finding.outcome:<6} {finding.check:<9} {finding.what}\n")
            sys.stdout.flush()
    return findings


async def _examined(options: Options, feeds: Sequence[FeedSettings]) -> AsyncIterator[Finding]:
    yield await _safely("redis", _redis(options.data_dir))
    database = await _safely("database", _database(options.data_dir))
    yield database
    if database.outcome is Outcome.OK:
        for check, look in (("schema", _schema), ("logins", _logins), ("roles", _roles), ("feeds", _feeds)):
            yield await _safely(check, look(options.data_dir))
    async with _outbound(options.data_dir) as outbound:
        for feed in feeds:
            for route, instruments in _routes(feed).items():
                async for finding in _venue(
                    Listener(route, instruments, outbound, now), route, options.seconds
                ):
                    yield finding


@asynccontextmanager
async def _outbound(data_dir: Path | None) -> AsyncIterator[Outbound]:
    """Open the way to venues within the budgets of those that run; where nothing runs they are ours alone."""
    try:
        urls = redis_url(data_dir), database_url(data_dir)
    except StackError:
        urls = None
    if urls is None:
        async with opened(Nobody(), None, OutboundSettings()) as outbound:
            yield outbound
    else:
        async with budgets.opened(urls[0]) as shared, opened(shared, urls[1], OutboundSettings()) as outbound:
            yield outbound


async def _safely(check: str, looking: Awaitable[tuple[Outcome, str]]) -> Finding:
    """Make a failure of ours a finding."""
    try:
        outcome, what = await looking
    except HeliographError as error:
        return Finding(Outcome.WRONG, check, str(error))
    return Finding(outcome, check, what)


async def _database(data_dir: Path | None) -> tuple[Outcome, str]:
    async with connected(database_url(data_dir), "heliograph doctor") as connection:
        version = await connection.fetchval("SHOW server_version")
        number = int(await connection.fetchval("SHOW server_version_num"))
    if number < _LEAST_POSTGRES:
        return Outcome.WRONG, f"PostgreSQL {version} is too old: 18 is needed"
    return Outcome.OK, f"PostgreSQL {version} answers"


async def _schema(data_dir: Path | None) -> tuple[Outcome, str]:
    current, newest = await status(database_url(data_dir))
    if current == newest:
        return Outcome.OK, f"revision {current}, the newest"
    return Outcome.WRONG, f"revision {current or 'none'}, and {newest} is needed: run heliograph db migrate"


async def _redis(data_dir: Path | None) -> tuple[Outcome, str]:
    async with publishing.opened(redis_url(data_dir)) as bus:
        await bus.wake([])
    return Outcome.OK, "Redis answers"


async def _roles(data_dir: Path | None) -> tuple[Outcome, str]:
    async with connected(database_url(data_dir), "heliograph doctor") as connection:
        ages = {role.name: await seconds_since_beat(connection, role.name) for role in ROLES}
    missing = [name for name, age in ages.items() if age is None or age > FRESH_SECONDS]
    if missing:
        return Outcome.NOTE, f"not running: {', '.join(missing)}"
    return Outcome.OK, "every role runs"


async def _logins(data_dir: Path | None) -> tuple[Outcome, str]:
    async with connected(database_url(data_dir), "heliograph doctor") as connection:
        lacking = await logins.lacking(connection)
    if lacking:
        told = "; ".join(lacking)
        return (
            Outcome.NOTE,
            f"{told}: `heliograph db logins` makes them; others need the owner's",
        )
    return Outcome.OK, "each program has a database role of its own"


async def _feeds(data_dir: Path | None) -> tuple[Outcome, str]:
    async with connected(database_url(data_dir), "heliograph doctor") as connection:
        seen = await overview.read(connection)
    if seen.unheard:
        return Outcome.WRONG, f"nobody listens to {', '.join(seen.unheard)}: start heliograph ingest live"
    if broken := [socket for socket in seen.sockets if socket.state != _LIVE]:
        told = "; ".join(f"{each.exchange} is {each.state}: {each.detail or each.url}" for each in broken)
        return Outcome.WRONG, told
    return Outcome.OK, f"connections to venues: {len(seen.sockets)}, all live"


def _routes(feed: FeedSettings) -> dict[Route, list[Instrument]]:
    routes: dict[Route, list[Instrument]] = {}
    for each in wanted([feed]):
        route = Route.of(each)
        routes.setdefault(route, []).append(route.venue.instrument(each.symbol))
    return routes


async def _venue(listener: Listener, route: Route, seconds: float) -> AsyncIterator[Finding]:
    proxy = proxy_for(route.stream_url)
    if proxy is not None:
        yield Finding(Outcome.NOTE, route.exchange, f"reached through the proxy {proxy}")
    try:
        heard = await listener.listen(seconds)
    except RateLimitedError as error:
        what = f"not listened to: {error}; ask again in {error.retry_after_seconds:.0f} s"
        yield Finding(Outcome.NOTE, route.exchange, what)
        return
    except HeliographError as error:
        yield Finding(Outcome.WRONG, route.exchange, str(error))
        return
    for outcome, what in _told(heard):
        yield Finding(outcome, route.exchange, what)


def _told(heard: Heard) -> list[tuple[Outcome, str]]:
    decoded = ", ".join(f"{count} {kind}" for kind, count in sorted(heard.decoded.items())) or "nothing"
    rejected = ", ".join(f"{count} {reason}" for reason, count in sorted(heard.rejected.items())) or "nothing"
    frames = f"{heard.frames} frames in {heard.seconds:g} s from {heard.url}"
    what = f"{frames}; decoded {decoded}; rejected {rejected}"
    silent = not heard.frames
    found = [(Outcome.WRONG if silent else Outcome.OK, what)]
    found += [(Outcome.WRONG, problem) for problem in heard.problems]
    if heard.offset_seconds is not None:
        found.append(_clock(heard.offset_seconds))
    return found


def _clock(offset: float) -> tuple[Outcome, str]:
    what = f"clock offset {offset:+.3f} s: our clock against the venue's times, with the way here"
    if abs(offset) < _SKEW_SECONDS:
        return Outcome.OK, what
    return Outcome.NOTE, f"{what}; set the clock right, unless the pair is quiet"
