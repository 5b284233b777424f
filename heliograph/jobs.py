"""``heliograph jobs``: what was asked of the backfill lane, looked at and changed while it runs."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import typer

from db import asked
from db.asked import StoredJob, StoredPiece
from db.connections import connected
from db.differences import Difference, differences
from heliograph import watching
from heliograph.changing import changing
from heliograph.durations import duration
from heliograph.tables import print_table
from heliograph.whereabouts import database_url
from market.coverage import Interval
from market.times import SECOND, to_iso
from runtime.lifecycle import run_until_stopped

_COLUMNS = ("job", "kind", "state", "instruments", "from", "to", "pieces", "trades", "new", "detail")
_PIECES = ("piece", "state", "from", "to", "trades", "new", "requests", "tries", "detail")
_SHOWN = 3
"""Instruments, or gaps, that are named; of more, how many."""


class Options(NamedTuple):
    """What every verb can be told."""

    data_dir: Path | None
    as_json: bool
    dry_run: bool = False


def show_all(kinds: Sequence[str] | None, limit: int, options: Options) -> None:
    """Print jobs, the newest first."""
    found = asyncio.run(_read(kinds, limit, options))
    if options.as_json:
        _print_json([fields(job) for job in found])
    elif found:
        print_table([_COLUMNS, *map(_cells, found)])
    else:
        sys.stdout.write("there are no jobs; heliograph backfill asks for one\n")


def show(job_id: int, options: Options) -> None:
    """Print one job with its pieces, and what it changed so far."""
    job, pieces, changed = asyncio.run(_whole(job_id, options))
    if options.as_json:
        _print_json(
            {
                **fields(job),
                "parts": [_piece(each) for each in pieces],
                "coverage": [_difference(each) for each in changed],
            }
        )
        return
    print_table([_COLUMNS, _cells(job)])
    print_table([_PIECES, *map(_piece_cells, pieces)])
    sys.stdout.writelines(f"{line}\n" for line in _sentences(changed))


def change(verb: str, job_id: int, options: Options) -> None:
    """Pause, resume, cancel, or retry a job, and say how it is then."""
    said(job_id, asyncio.run(_changed(verb, job_id, options)), options)


def said(job_id: int, state: str, options: Options) -> None:
    """Say how a job is."""
    if options.as_json:
        sys.stdout.write(json.dumps({"job_id": job_id, "state": state, "dry_run": options.dry_run}) + "\n")
    else:
        would = "would be" if options.dry_run else "is"
        sys.stdout.write(f"job {job_id} {would} {state}; heliograph jobs watch {job_id} follows it\n")


def watch(job_id: int, options: Options) -> None:
    """Follow a job until it is over, then say what it changed; Ctrl-C leaves it alone."""
    url, over = database_url(options.data_dir), []

    async def main(stopping: asyncio.Event) -> None:
        with watching.drawn(as_json=options.as_json) as screen:
            over.append(await watching.watch(url, job_id, screen, stopping, time.monotonic))

    run_until_stopped(main)
    if over[0] is None:
        sys.stderr.write(f"heliograph: job {job_id} goes on; heliograph jobs watch {job_id} follows it\n")
        return
    _, _, changed = asyncio.run(_whole(job_id, options))
    if options.as_json:
        sys.stdout.write(json.dumps({"coverage": [_difference(each) for each in changed]}) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _sentences(changed))
    if over[0].state in ("failed", "cancelled"):
        raise typer.Exit(1)


async def _read(kinds: Sequence[str] | None, limit: int, options: Options) -> list[StoredJob]:
    async with connected(database_url(options.data_dir), "heliograph jobs") as connection:
        return await asked.jobs(connection, kinds=kinds or asked.KINDS, limit=limit)


async def _whole(job_id: int, options: Options) -> tuple[StoredJob, list[StoredPiece], list[Difference]]:
    async with connected(database_url(options.data_dir), "heliograph jobs") as connection:
        job = await asked.job(connection, job_id)
        return job, await asked.pieces(connection, job_id), await differences(connection, job)


async def _changed(verb: str, job_id: int, options: Options) -> str:
    """Change it in one transaction; a dry run is rolled back."""
    async with changing(options.data_dir, "jobs") as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            state = await asked.change(connection, verb, job_id)
        except BaseException:
            await transaction.rollback()
            raise
        await (transaction.rollback() if options.dry_run else transaction.commit())
        return state


def fields(job: StoredJob) -> dict[str, Any]:
    """Return a job as JSON has it."""
    times = ("created_at", "finished_at", "from_ts", "to_ts")
    told = {name: getattr(job, name) for name in job.__struct_fields__}
    return {**told, **{name: None if told[name] is None else to_iso(told[name]) for name in times}}


def _cells(job: StoredJob) -> tuple[str, ...]:
    return (
        str(job.job_id),
        job.kind,
        job.state,
        _listed(job.names),
        "-" if job.from_ts is None else to_iso(job.from_ts),
        "-" if job.to_ts is None else to_iso(job.to_ts),
        f"{job.done}/{job.pieces}",
        f"{job.fetched:,}/{job.rows:,}",
        f"{job.stored:,}",
        job.detail,
    )


def _piece(piece: StoredPiece) -> dict[str, Any]:
    told = {name: getattr(piece, name) for name in piece.__struct_fields__}
    return {**told, **{name: to_iso(told[name]) for name in ("from_ts", "to_ts", "due_at")}}


def _piece_cells(piece: StoredPiece) -> tuple[str, ...]:
    return (
        str(piece.chunk_id),
        piece.state,
        to_iso(piece.from_ts),
        to_iso(piece.to_ts),
        f"{piece.fetched:,}/{piece.rows:,}",
        f"{piece.stored:,}",
        str(piece.requests),
        str(piece.attempts),
        piece.detail,
    )


def _sentences(changed: Sequence[Difference]) -> Iterator[str]:
    for each in changed:
        before, now = _length(each.before), _length(each.now)
        yield f"{each.name}: {duration(before)} were missing, {duration(now)} are now"
        for gap in each.lacking[:_SHOWN]:
            yield f"  the venue could not give {to_iso(gap.from_ts)} to {to_iso(gap.to_ts)}: {gap.detail}"
        if len(each.lacking) > _SHOWN:
            yield f"  and {len(each.lacking) - _SHOWN} more: heliograph query gaps"


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "instrument": each.name,
        "missing_before": _pairs(each.before),
        "missing_now": _pairs(each.now),
        "lacking": [
            {"from_ts": to_iso(gap.from_ts), "to_ts": to_iso(gap.to_ts), "detail": gap.detail}
            for gap in each.lacking
        ],
    }


def _pairs(intervals: Sequence[Interval]) -> list[list[str]]:
    return [[to_iso(each.from_ts), to_iso(each.to_ts)] for each in intervals]


def _length(intervals: Sequence[Interval]) -> float:
    return sum(each.to_ts - each.from_ts for each in intervals) / SECOND


def _listed(names: Sequence[str]) -> str:
    more = f" +{len(names) - _SHOWN}" if len(names) > _SHOWN else ""
    return " ".join(names[:_SHOWN]) + more


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
