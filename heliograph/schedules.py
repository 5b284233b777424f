"""``heliograph schedule``: what is done by itself, when, and what came of it."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import typer

from db import schedules
from db.processes import count_running
from db.schedules import DONE, UNFINISHED, LastRun, Run
from heliograph.changing import changing
from heliograph.tables import print_table
from market.errors import StackError
from market.times import SECOND, to_iso
from runtime.clock import now
from workers import chores
from workers.chores import Chore
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

_Answer = TypeVar("_Answer")
_LOOK_EVERY_SECONDS = 0.5
_COLUMNS = ("chore", "when", "state", "last began", "took", "next", "what came of it")
_RUN_COLUMNS = ("run", "chore", "state", "began", "took", "what came of it")


class Options(NamedTuple):
    """What every verb can be told."""

    data_dir: Path | None
    as_json: bool
    dry_run: bool = False


class Verb(NamedTuple):
    """A change of a chore, and how it is told when it was done."""

    work: Callable[["Connection", str], Awaitable[bool]]
    done: str


PAUSE = Verb(schedules.pause, "paused")
RESUME = Verb(schedules.resume, "resumed")


def show(options: Options) -> None:
    """Print every chore."""
    last, paused = _asked(options, _read)
    rows = [_chore(chore, last.get(chore.name), paused=chore.name in paused) for chore in chores.TABLE]
    if options.as_json:
        _print_json(rows)
        return
    print_table([_COLUMNS, *map(_cells, rows)])


def show_runs(name: str | None, limit: int, options: Options) -> None:
    """Print the newest runs."""
    found = _asked(options, lambda connection: schedules.runs(connection, name, limit))
    if options.as_json:
        _print_json([_run(each) for each in found])
    elif found:
        print_table([_RUN_COLUMNS, *map(_run_cells, found)])
    else:
        sys.stdout.write("nothing ran yet\n")


def run(name: str, options: Options, *, detach: bool) -> None:
    """Ask for a run, and wait for its end; raises StackError when nobody would begin it."""
    chores.named(name)
    if options.dry_run:
        sys.stdout.write(f"{name} would be run\n")
        return
    ended = _asked(options, lambda connection: _ran(connection, name, detach=detach))
    if options.as_json:
        _print_json(_run(ended))
    else:
        sys.stdout.write(f"run {ended.run_id} of {name} is {ended.state}{_after_colon(ended.detail)}\n")
    raise typer.Exit(exit_code(ended.state, detach=detach))


def exit_code(state: str, *, detach: bool) -> int:
    """Return 0 for a run that was done, or that nobody waits for."""
    return 0 if detach or state == DONE else 1


def change(verb: Verb, name: str, options: Options) -> None:
    """Pause or resume a chore, and say whether that is new."""
    chores.named(name)
    is_new = _asked(options, lambda connection: _changed(connection, verb, name, options))
    what = verb.done if is_new else "unchanged"
    if options.as_json:
        _print_json({"name": name, "change": what})
        return
    would = "would be " if options.dry_run and is_new else ""
    sys.stdout.write(f"{name} {would}{what}\n")


async def _read(connection: "Connection") -> tuple[dict[str, LastRun], set[str]]:
    return await schedules.last(connection), await schedules.paused(connection)


async def _changed(connection: "Connection", verb: Verb, name: str, options: Options) -> bool:
    transaction = connection.transaction()
    await transaction.start()
    try:
        is_new = await verb.work(connection, name)
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.rollback() if options.dry_run else transaction.commit())
    return is_new


async def _ran(connection: "Connection", name: str, *, detach: bool) -> Run:
    if not await count_running(connection, ["scheduler"]):
        message = f"no scheduler runs, so nobody would do {name}; start one: heliograph scheduler"
        raise StackError(message)
    run_id = await schedules.ask(connection, name)
    asked = await schedules.run(connection, run_id)
    while not detach and asked.state in UNFINISHED:
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        asked = await schedules.run(connection, run_id)
    return asked


def _asked(options: Options, ask: Callable[["Connection"], Coroutine[Any, Any, _Answer]]) -> _Answer:
    async def answer() -> _Answer:
        async with changing(options.data_dir, "schedule") as connection:
            return await ask(connection)

    return asyncio.run(answer())


def _chore(chore: Chore, last: LastRun | None, *, paused: bool) -> dict[str, Any]:
    settings = WorkerSettings()
    due = None if paused else chores.next_run(chore, last, settings, now())
    return {
        "name": chore.name,
        "says": chore.says,
        "when": chores.rhythm(chore, settings),
        "paused": paused,
        "next_at": due and due.isoformat(timespec="seconds"),
        "last": last and _run(last),
    }


def _run(run: Run) -> dict[str, Any]:
    times = {"asked_at": run.asked_at, "began_at": run.began_at, "ended_at": run.ended_at}
    told = {name: None if ts is None else to_iso(ts) for name, ts in times.items()}
    return {
        "run_id": run.run_id,
        "name": run.name,
        "state": run.state,
        **told,
        "seconds": _seconds(run),
        "detail": run.detail,
    }


def _seconds(run: Run) -> float | None:
    return None if run.began_at is None or run.ended_at is None else (run.ended_at - run.began_at) / SECOND


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    last = row["last"] or {"state": "never ran", "began_at": None, "seconds": None, "detail": row["says"]}
    state = "paused" if row["paused"] else last["state"]
    began, took = last["began_at"] or "-", _took(last["seconds"])
    return (row["name"], row["when"], state, began, took, row["next_at"] or "-", last["detail"])


def _run_cells(run: Run) -> tuple[str, ...]:
    began = "-" if run.began_at is None else to_iso(run.began_at)
    return (str(run.run_id), run.name, run.state, began, _took(_seconds(run)), run.detail)


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"


def _after_colon(text: str) -> str:
    return f": {text}" if text else ""


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
