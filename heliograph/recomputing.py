"""``heliograph recompute``: what is stored is computed again, by the code and the numbers of today."""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from db import asked, verifications
from db.asked import NewPiece
from db.connections import connected
from db.instruments import Listed, listed
from heliograph import jobs
from heliograph.changing import changing
from heliograph.jobs import Options
from heliograph.whereabouts import database_url
from ingest.history.planning import pieces
from market.coverage import Interval
from market.errors import InvalidInputError, UnknownInstrumentError
from market.nearest import suggestion
from market.times import to_iso
from workers.kinds.catalogue import KINDS

if TYPE_CHECKING:
    from db.connections import Connection
    from workers.kinds.fold import AnyFold


class Wanted(NamedTuple):
    """What is to be computed again: of these instruments, like ``kraken:SOL/USD`` (all), in [from_ts, to_ts).

    With a ``kind``, only since it was told by another version than today's, or all where it never was.
    """

    kind: str | None
    instruments: Sequence[str]
    from_ts: int | None
    to_ts: int


def recompute(wanted: Wanted, options: Options, *, detach: bool) -> None:
    """Have it computed again, and stay until it is."""
    fold = None if wanted.kind is None else kind_named(wanted.kind)
    ranges = asyncio.run(_planned(wanted, fold, options))
    _show(ranges, options)
    if options.dry_run or not ranges:
        return
    job_id = asyncio.run(_enqueued(ranges, options))
    if detach:
        jobs.said(job_id, "waiting", options)
    else:
        jobs.watch(job_id, options)


async def _planned(wanted: Wanted, fold: "AnyFold | None", options: Options) -> list[tuple[Listed, Interval]]:
    async with connected(database_url(options.data_dir), "heliograph recompute") as connection:
        return await ranges_of(connection, wanted, fold)


async def ranges_of(
    connection: "Connection", wanted: Wanted, fold: "AnyFold | None"
) -> list[tuple[Listed, Interval]]:
    """Return what is to be computed again of each instrument that has something.

    That is as far as live has come: what lies beyond was never computed, and is when it is listened to.
    """
    found = []
    for each in _named(await listed(connection), wanted.instruments):
        began = await _since(connection, each, fold)
        live = await verifications.cursor(connection, each)
        if began is not None and live is not None:
            from_ts, to_ts = max(began, wanted.from_ts or began), min(wanted.to_ts, live.ts + 1)
            if from_ts < to_ts:
                found.append((each, Interval(from_ts, to_ts)))
    return found


async def _since(connection: "Connection", each: Listed, fold: "AnyFold | None") -> int | None:
    if fold is not None:
        since, told = await asked.told_otherwise(connection, each.instrument_id, fold.kind, fold.version)
        if told:
            return since
    return await verifications.began(connection, each)


async def _enqueued(ranges: Sequence[tuple[Listed, Interval]], options: Options) -> int:
    async with changing(options.data_dir, "recompute") as connection, connection.transaction():
        return await enqueue(connection, ranges)


async def enqueue(connection: "Connection", ranges: Sequence[tuple[Listed, Interval]]) -> int:
    """Put ranges in the queue, the newest pieces first."""
    wanted = [
        NewPiece(each.instrument_id, piece.from_ts, piece.to_ts, 0)
        for each, interval in ranges
        for piece in pieces(interval, 0)
    ]
    newest_first = sorted(wanted, key=_from_ts, reverse=True)
    from_ts, to_ts = min(each.from_ts for _, each in ranges), max(each.to_ts for _, each in ranges)
    return await asked.enqueue(connection, asked.RECOMPUTE, from_ts, to_ts, newest_first)


def _show(ranges: Sequence[tuple[Listed, Interval]], options: Options) -> None:
    rows = [(each.instrument.key, to_iso(span.from_ts), to_iso(span.to_ts)) for each, span in ranges]
    if options.as_json:
        names = ("instrument", "from_ts", "to_ts")
        plan = [dict(zip(names, row, strict=True)) for row in rows]
        sys.stdout.write(json.dumps({"plan": plan}) + "\n")
        return
    sys.stdout.writelines(f"{key}  {since} to {until}\n" for key, since, until in rows)
    if not rows:
        sys.stdout.write("there is nothing to compute again\n")


def kind_named(name: str) -> "AnyFold":
    """Return a kind that is computed; raises InvalidInputError."""
    found = next((fold for fold in KINDS if fold.kind == name), None)
    if found is None:
        known = [fold.kind for fold in KINDS]
        message = (
            f"no kind {name!r} is computed; {suggestion(name, known) or 'there are: ' + ', '.join(known)}"
        )
        raise InvalidInputError(message)
    return found


def _named(every: Sequence[Listed], keys: Sequence[str]) -> list[Listed]:
    known = {each.instrument.key: each for each in every}
    for key in keys:
        if key not in known:
            near = suggestion(key, known)
            message = f"nothing is stored of {key!r}{'; ' + near if near else ''}"
            raise UnknownInstrumentError(message)
    return [known[key] for key in dict.fromkeys(keys)] if keys else list(every)


def _from_ts(piece: NewPiece) -> int:
    return piece.from_ts
