"""``heliograph verify``: what is stored, beside what the same code makes of the tape."""

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from api import moments
from db import verifications
from db.connections import connected
from db.instruments import Listed, listed
from heliograph.whereabouts import database_url
from market.errors import UnknownInstrumentError
from market.times import to_iso
from market.verifications import Content, Difference, Unverified, Verification
from runtime.clock import now
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.verifying import Verifier

if TYPE_CHECKING:
    from db.connections import Connection

_TIMES = frozenset({"ts", "from_ts", "to_ts"})
_SESSION = {"statement_timeout": "300s"}


class Options(NamedTuple):
    """What to verify: moments as people write them, instruments as ``kraken:SOL/USD``."""

    from_: str | None
    to: str | None
    instruments: Sequence[str]
    data_dir: Path | None
    as_json: bool


def verify(options: Options) -> None:
    """Print every difference; exit with 1 if there is one."""
    from_ts = None if options.from_ is None else moments.parse(options.from_)
    to_ts = now() if options.to is None else moments.parse(options.to)
    found = asyncio.run(_verify(options, from_ts, to_ts))
    if options.as_json:
        sys.stdout.write(json.dumps([_fields(*each) for each in found], indent=2) + "\n")
    else:
        for line in (line for each in found for line in _lines(*each)):
            sys.stdout.write(f"{line}\n")
    raise typer.Exit(1 if any(made.differences for _, made in found) else 0)


async def _verify(options: Options, from_ts: int | None, to_ts: int) -> list[tuple[str, Verification]]:
    async with connected(database_url(options.data_dir), "heliograph verify", _SESSION) as connection:
        wanted = _named(await listed(connection), options.instruments)
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            return [
                (each.instrument.key, await _one(connection, each, from_ts, to_ts, progress))
                for each in wanted
            ]


async def _one(
    connection: "Connection", instrument: Listed, from_ts: int | None, to_ts: int, progress: Progress
) -> Verification:
    if from_ts is None:
        from_ts = await verifications.began(connection, instrument)
    begin = to_ts if from_ts is None else min(from_ts, to_ts)
    found = Verification(begin, begin)
    task: TaskID = progress.add_task(instrument.instrument.key, total=to_ts - begin)
    async for piece in Verifier(connection, Folder(KINDS)).pieces(instrument, begin, to_ts):
        found = found.followed_by(piece)
        progress.update(task, completed=piece.to_ts - begin)
    return found


def _named(every: Sequence[Listed], keys: Sequence[str]) -> list[Listed]:
    known = {each.instrument.key: each for each in every}
    for key in keys:
        if key not in known:
            message = f"nothing is stored of {key!r}; what is: {', '.join(sorted(known)) or 'nothing'}"
            raise UnknownInstrumentError(message)
    return [known[key] for key in dict.fromkeys(keys)] if keys else list(every)


def _lines(key: str, made: Verification) -> Iterator[str]:
    verdict = f"{len(made.differences)} different" if made.differences else "equal"
    compared = f"{made.bars} bars, {made.signals} signals, and {made.indicators} indicators compared"
    yield f"{key}  {to_iso(made.from_ts)} to {to_iso(made.to_ts)}: {verdict}; {compared}"
    for part in made.unverified:
        yield f"  not judged: {_part(part)}"
    for difference in made.differences:
        yield f"  {difference.noun} {difference.about} {to_iso(difference.ts)} {_what(difference)}"


def _part(part: Unverified) -> str:
    about = f"{part.about} " if part.about else ""
    return f"{about}{part.reason}, {to_iso(part.from_ts)} to {to_iso(part.to_ts)}"


def _what(difference: Difference) -> str:
    stored, right = difference.stored, difference.right
    if difference.noun == "fold":
        return f"fails, and is not in quarantine: {(right or {}).get('error')}"
    if stored is None or right is None:
        return f"is missing; right is {_text(right)}" if stored is None else f"is invented: {_text(stored)}"
    return "; ".join(
        f"{name} is stored as {_text(stored.get(name))}, right is {_text(right.get(name))}"
        for name in _differing(stored, right)
    )


def _differing(stored: Content, right: Content) -> Iterable[str]:
    return [name for name in {**stored, **right} if _text(stored.get(name)) != _text(right.get(name))]


def _text(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def _fields(key: str, made: Verification) -> dict[str, Any]:
    return {
        "instrument": key,
        "equal": not made.differences,
        **_iso(msgspec.to_builtins(made)),
        "differences": [_iso(msgspec.to_builtins(each)) for each in made.differences],
        "unverified": [_iso(msgspec.to_builtins(each)) for each in made.unverified],
    }


def _iso(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with their own times as text; what is stored and what is right stay as they are."""
    return {name: to_iso(value) if name in _TIMES else value for name, value in fields.items()}
