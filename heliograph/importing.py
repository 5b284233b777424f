"""``heliograph import``: trades of files into the tape, told as it goes."""

import asyncio
import csv
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from db.audit import act_as
from db.connections import connected
from heliograph.changing import actor
from heliograph.whereabouts import database_url
from ingest.files import importing
from ingest.files.formats import layout_of
from ingest.files.importing import Desk, Source, Tally
from ingest.history.runner import NICENESS, SESSION
from ingest.naming import instrument_named
from ingest.settings import HistorySettings
from market.times import to_iso
from runtime.clock import now

if TYPE_CHECKING:
    from db.connections import Connection

EXPORTED: Final = ("bars", "signals")
"""Formats of files that ``heliograph export`` wrote of what is no tick."""

_TELL_SECONDS: Final = 1.0


class Options(NamedTuple):
    """What to import, and how."""

    files: Sequence[Path]
    format: str
    venue: str
    symbol: str
    columns: str
    rejects: Path | None
    data_dir: Path | None
    dry_run: bool
    as_json: bool


class Rejected:
    """Rows that were refused, of one file or of several, as CSV; the file is made with the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._file: IO[str] | None = None

    def add(self, file: str, line: int, reason: str, row: str) -> None:
        """Keep one row, and why."""
        if self._file is None:
            self._file = self.path.open("a" if self.rows else "w", encoding="utf-8", newline="")
            if not self.rows:
                csv.writer(self._file).writerow(["file", "line", "reason", "row"])
        csv.writer(self._file).writerow([file, line, reason, row])
        self.rows += 1

    def close(self) -> None:
        """Have what was refused on disk; more may follow."""
        if self._file is not None:
            self._file.close()
            self._file = None


def import_(options: Options) -> None:
    """Import files one after another, and tell what became of their rows."""
    layout = layout_of("generic" if options.format in EXPORTED else options.format, options.columns)
    instrument = instrument_named(options.venue, options.symbol)
    told_as = f"{options.format}:{options.columns}"
    sources = [Source(path, layout, instrument, told_as) for path in options.files]
    os.nice(NICENESS)
    found = asyncio.run(_each(sources, options))
    if options.as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")


async def _each(sources: Sequence[Source], options: Options) -> list[dict[str, Any]]:
    found = []
    kept: dict[Path, Rejected] = {}
    for source in sources:
        path = options.rejects or Path(f"{source.path.name}.rejects.csv")
        rejected = kept.setdefault(path, Rejected(path))
        began = time.monotonic()
        try:
            tally = await _one(source, rejected, options)
        finally:
            rejected.close()
        told = _told(source, tally, rejected, time.monotonic() - began, options)
        found.append(told)
        if not options.as_json:
            sys.stdout.write(_sentence(told) + "\n")
    return found


async def _one(source: Source, rejected: Rejected, options: Options) -> Tally:
    exported = options.format in EXPORTED
    with _progress(source.path) as tell:
        holder = f"import {socket.gethostname()} {os.getpid()}"
        desk = Desk(holder, rejected, tell, now, HistorySettings().yield_above_seconds)
        if options.dry_run:
            return await _restored(None, source, desk, options) if exported else importing.check(source, desk)
        async with connected(database_url(options.data_dir), "heliograph import", SESSION) as connection:
            await act_as(connection, actor("import"))
            if exported:
                return await _restored(connection, source, desk, options)
            return await importing.run(connection, source, desk)


async def _restored(connection: "Connection | None", source: Source, desk: Desk, options: Options) -> Tally:
    from heliograph import restoring

    return await restoring.restore(connection, options.format, source, desk)


def _told(
    source: Source, tally: Tally, rejected: Rejected, seconds: float, options: Options
) -> dict[str, Any]:
    counted = msgspec.to_builtins(tally)
    if options.dry_run:
        del counted["stored"], counted["duplicates"]
    return {
        "file": str(source.path),
        "dry_run": options.dry_run,
        **counted,
        "from_ts": None if tally.from_ts is None else to_iso(tally.from_ts),
        "to_ts": None if tally.to_ts is None else to_iso(tally.to_ts),
        "rejects": str(rejected.path) if tally.rejected else None,
        "yielded_seconds": round(tally.yielded_seconds, 3),
        "seconds": round(seconds, 3),
    }


def _sentence(told: dict[str, Any]) -> str:
    parts = [f"{told['rows']:,} rows"]
    if not told["dry_run"]:
        parts += [f"{told['stored']:,} new", f"{told['duplicates']:,} known already"]
    parts.append(f"{told['rejected']:,} rejected" + (f" (see {told['rejects']})" if told["rejects"] else ""))
    if told["skipped"]:
        parts.append(f"{told['skipped']:,} of them settled before it was interrupted")
    if told["yielded_seconds"]:
        parts.append(f"waited {told['yielded_seconds']:.1f} s for live")
    span = f"; {told['from_ts']} to {told['to_ts']}" if told["from_ts"] else ""
    pace = told["rows"] / max(told["seconds"], 0.001)
    dry = "; nothing was written" if told["dry_run"] else f"; {pace:,.0f} rows/s"
    return f"{told['file']}: {', '.join(parts)}{span}{dry}"


@contextmanager
def _progress(path: Path) -> Iterator[Callable[[int, Tally], None]]:
    """Show a bar on a terminal, a line a second elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(path)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(path.name, total=path.stat().st_size, told="")

        def tell(read: int, tally: Tally) -> None:
            pace = tally.rows / max(progress.tasks[0].elapsed or 0.0, 0.001)
            told = f"{tally.rows:,} rows, {tally.stored:,} new, {tally.rejected:,} rejected, {pace:,.0f}/s"
            progress.update(task, completed=read, told=told)

        yield tell


def _lines(path: Path) -> Callable[[int, Tally], None]:
    told_at = time.monotonic()
    size = max(path.stat().st_size, 1)

    def tell(read: int, tally: Tally) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= _TELL_SECONDS:
            told_at = time.monotonic()
            said = f"{tally.rows:,} rows, {tally.stored:,} new, {tally.rejected:,} rejected"
            sys.stderr.write(f"{path.name}: {read / size:.0%}, {said}\n")

    return tell
