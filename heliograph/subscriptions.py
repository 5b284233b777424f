"""``heliograph feeds``: what is listened to, changed while everything runs."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from db import feeds
from db.connections import connected
from db.feeds import Change, FeedName, FeedRow, WantedFeed
from heliograph.changing import changing
from heliograph.tables import print_table
from heliograph.whereabouts import database_url
from ingest.naming import instrument_named
from market.times import to_iso

if TYPE_CHECKING:
    from db.connections import Connection

_COLUMNS = ("feed", "state", "socket", "last frame", "process", "reason")


class Options(NamedTuple):
    """What every verb can be told."""

    data_dir: Path | None
    as_json: bool
    dry_run: bool = False


Verb = Callable[["Connection", Sequence[FeedName]], Awaitable[list[Change]]]

REMOVE: Verb = feeds.remove
PAUSE: Verb = feeds.pause
RESUME: Verb = feeds.resume


def add(
    exchange: str, symbols: Sequence[str], *, protocol: str | None, urls: tuple[str | None, str | None],
    options: Options,
) -> None:  # fmt: skip
    """Have feeds listened to, and say what became of each."""
    wanted = [
        WantedFeed(
            exchange=exchange,
            symbol=instrument_named(exchange, symbol, protocol).symbol,
            protocol=protocol,
            stream_url=urls[0],
            rest_url=urls[1],
        )
        for symbol in dict.fromkeys(symbols)
    ]
    _tell(asyncio.run(_changed(options, lambda connection: feeds.add(connection, wanted))), options)


def change(verb: Verb, exchange: str, symbols: Sequence[str], options: Options) -> None:
    """Remove, pause, or resume feeds, and say what became of each."""
    names = [FeedName(exchange, symbol) for symbol in dict.fromkeys(symbols)]
    _tell(asyncio.run(_changed(options, lambda connection: verb(connection, names))), options)


def show(options: Options) -> None:
    """Print every feed, with who listens to it."""
    rows = asyncio.run(_read(options))
    if options.as_json:
        _print_json([fields(row) for row in rows])
    elif rows:
        print_table([_COLUMNS, *map(_cells, rows)])
    else:
        sys.stdout.write("there are no feeds; add one: heliograph feeds add kraken SOL/USD\n")


def fields(row: FeedRow) -> dict[str, Any]:
    """Return a feed as JSON has it."""
    times = {"added_at": row.added_at, "changed_at": row.changed_at, "last_frame_at": row.last_frame_at}
    told = {name: to_iso(ts) if ts is not None else None for name, ts in times.items()}
    names = (
        "exchange",
        "symbol",
        "protocol",
        "stream_url",
        "rest_url",
        "state",
        "reason",
        "process",
        "socket",
    )
    return {**{name: getattr(row, name) for name in names}, **told}


async def _changed(options: Options, work: Callable[["Connection"], Awaitable[list[Change]]]) -> list[Change]:
    """Do the work in one transaction; a dry run is rolled back, and nobody hears of it."""
    async with changing(options.data_dir, "feeds") as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            changes = await work(connection)
        except BaseException:
            await transaction.rollback()
            raise
        await (transaction.rollback() if options.dry_run else transaction.commit())
        return changes


async def _read(options: Options) -> list[FeedRow]:
    async with connected(database_url(options.data_dir), "heliograph feeds") as connection:
        return await feeds.feeds(connection)


def _tell(changes: Sequence[Change], options: Options) -> None:
    if options.as_json:
        _print_json([{**fields(each.feed), "change": each.change} for each in changes])
        return
    for each in changes:
        would = "would be " if options.dry_run and each.change != "unchanged" else ""
        hint = "; it is paused: heliograph feeds resume" if _still_paused(each) else ""
        sys.stdout.write(f"{each.feed.name} {would}{each.change}{hint}\n")


def _still_paused(change_: Change) -> bool:
    return change_.feed.state == feeds.PAUSED and change_.change in {"unchanged", "changed"}


def _cells(row: FeedRow) -> tuple[str, ...]:
    seen = to_iso(row.last_frame_at) if row.last_frame_at is not None else "-"
    return (str(row.name), row.state, row.socket or "-", seen, row.process or "-", row.reason)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
