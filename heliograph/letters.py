"""``heliograph dead-letters``: what could not be processed, looked at, requeued, or forgotten."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from db import dead_letters
from db.connections import connected
from db.dead_letters import Filter, Letter
from heliograph.changing import changing
from heliograph.tables import print_table
from heliograph.whereabouts import database_url
from market.errors import InvalidInputError
from market.times import from_iso, to_iso

if TYPE_CHECKING:
    from db.connections import Connection

_COLUMNS = ("id", "source", "of", "kind", "kept", "stopped from", "reason")
_SOURCES = ("frame", "tick", "fold")
_REASON_WIDTH = 70

NOTHING_STOPPED = (
    "nothing waits for it: only folds are computed again; what a frame or a tick leaves out is a gap, "
    "which history heals, and a book that is left without it is fetched anew"
)
"""Why frames and ticks are not requeued: today's code would decode them into a stream that has gone on."""


class Wanted(NamedTuple):
    """Which letters are meant, as the command line has it."""

    ids: Sequence[int] | None = None
    source: str | None = None
    venue: str | None = None
    symbol: str | None = None
    kind: str | None = None
    reason: str | None = None
    before: str | None = None


class Options(NamedTuple):
    """What every verb can be told."""

    data_dir: Path | None
    as_json: bool
    dry_run: bool = False
    everything: bool = False


class Outcome(NamedTuple):
    """What became of the letters that match: ``done`` are their numbers."""

    matching: Sequence[Letter]
    done: Sequence[int]


Verb = Callable[["Connection", Sequence[int]], Awaitable[list[int]]]


def show_all(wanted: Wanted, at_most: int, options: Options) -> None:
    """Print the newest letters that match."""
    found = asyncio.run(_read(filter_of(wanted), at_most, options))
    if options.as_json:
        _print_json([fields(each) for each in found])
    elif found:
        print_table([_COLUMNS, *map(_cells, found)])
    else:
        sys.stdout.write("there are no dead letters that match\n")


def show(letter_id: int, options: Options) -> None:
    """Print one letter with what came."""
    letter, payload = asyncio.run(_read_whole(letter_id, options))
    told = {**fields(letter), "payload": _text(payload)}
    if options.as_json:
        _print_json(told)
        return
    for name, value in told.items():
        if value is not None:
            sys.stdout.write(f"{name:16}{value}\n")


def requeue(wanted: Wanted, options: Options) -> None:
    """Have what was stopped repaired, and say what became of each letter."""
    outcome = asyncio.run(_changed(wanted, options, dead_letters.requeue))
    _tell(outcome, "requeued", NOTHING_STOPPED, options)


def drop(wanted: Wanted, options: Options) -> None:
    """Forget letters, and say what became of each."""
    outcome = asyncio.run(_changed(wanted, options, dead_letters.drop))
    _tell(outcome, "dropped", "its kind is stopped: requeue it", options)


def filter_of(wanted: Wanted) -> Filter:
    """Return the filter; raises InvalidInputError for what no letter can be."""
    if wanted.source not in (None, *_SOURCES):
        message = f"--source {wanted.source!r} is none of {', '.join(_SOURCES)}"
        raise InvalidInputError(message, where="source")
    return Filter(
        ids=wanted.ids or None,
        source=wanted.source,
        exchange=wanted.venue,
        symbol=wanted.symbol,
        kind=wanted.kind,
        reason=wanted.reason,
        before=None if wanted.before is None else _time(wanted.before),
    )


def fields(letter: Letter) -> dict[str, Any]:
    """Return a letter as JSON has it."""
    stopped = letter.stopped_from
    return {
        **msgspec.to_builtins(letter),
        "created_at": to_iso(letter.created_at),
        "stopped_from": None if stopped is None else to_iso(stopped),
    }


def _time(text: str) -> int:
    try:
        return from_iso(text)
    except ValueError as error:
        message = f"--before {text!r} is not a time like 2026-11-21T10:00:00Z"
        raise InvalidInputError(message, where="before") from error


async def _read(wanted: Filter, at_most: int, options: Options) -> list[Letter]:
    async with connected(database_url(options.data_dir), "heliograph dead-letters") as connection:
        return await dead_letters.matching(connection, wanted, at_most)


async def _read_whole(letter_id: int, options: Options) -> tuple[Letter, bytes]:
    async with connected(database_url(options.data_dir), "heliograph dead-letters") as connection:
        found = await dead_letters.matching(connection, Filter(ids=[letter_id]))
        if not found:
            message = f"there is no dead letter {letter_id}: see `heliograph dead-letters list`"
            raise InvalidInputError(message)
        return found[0], await dead_letters.payload(connection, letter_id)


async def _changed(wanted: Wanted, options: Options, verb: Verb) -> Outcome:
    """Do it in one transaction; a dry run is rolled back, and nobody hears of it."""
    meant = filter_of(wanted)
    if meant.says_nothing and not options.everything:
        message = "say which letters: by number, by filters, or --all"
        raise InvalidInputError(message)
    async with changing(options.data_dir, "dead-letters") as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            found = await dead_letters.matching(connection, meant)
            done = await verb(connection, [each.dead_letter_id for each in found])
        except BaseException:
            await transaction.rollback()
            raise
        await (transaction.rollback() if options.dry_run else transaction.commit())
        return Outcome(found, done)


def _tell(outcome: Outcome, done: str, kept: str, options: Options) -> None:
    became = {each.dead_letter_id: done for each in outcome.matching if each.dead_letter_id in outcome.done}
    if options.as_json:
        told = [
            {**fields(each), "change": became.get(each.dead_letter_id, "kept")} for each in outcome.matching
        ]
        _print_json(told)
        return
    would = "would be " if options.dry_run else ""
    for each in outcome.matching:
        change = f"{would}{done}" if each.dead_letter_id in became else f"{would}kept; {kept}"
        sys.stdout.write(f"{each.dead_letter_id} {_of(each)}: {change}\n")
    sys.stdout.write(f"{len(became)} of {len(outcome.matching)} that match {would}{done}\n")


def _of(letter: Letter) -> str:
    name = f"{letter.exchange}:{letter.symbol}" if letter.symbol else letter.exchange
    return f"{name} {letter.kind or letter.source}"


def _cells(letter: Letter) -> tuple[str, ...]:
    told = fields(letter)
    return (
        str(letter.dead_letter_id),
        letter.source,
        f"{letter.exchange}:{letter.symbol}" if letter.symbol else letter.exchange,
        letter.kind or "-",
        told["created_at"],
        told["stopped_from"] or "-",
        letter.reason.splitlines()[0][:_REASON_WIDTH] if letter.reason else "",
    )


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", errors="backslashreplace")


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
