"""A file into a tape: a page of rows a transaction, gently, and from where it was interrupted."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from db import chunks, imports
from db.chunks import Chunk, Lease
from db.errors import translated
from db.imports import Page
from db.instruments import Listed, register
from db.partitions import day_of, ensure_days
from ingest.files.filling import fill_numbered, fill_proven
from ingest.files.formats import LayoutOf
from ingest.files.layouts import Layout, Row
from ingest.files.reading import Counted, Line, Opened, opened
from ingest.files.runs import Runs
from ingest.venues.histories import TOLERANCES
from ingest.yielding import yield_to_live
from market.errors import InvalidInputError, RefusedTickError, StoreBusyError
from market.instruments import Instrument
from market.trades import Trade
from runtime.clock import Clock

if TYPE_CHECKING:
    from db.connections import Connection

PAGE_ROWS: Final = 1000
"""Of one transaction, so that live waits for none."""

_LEASE_SECONDS: Final = 60.0
_HEALED: Final = (
    "the file reaches into a gap that is being healed, or into the range of a backfill, which will tell the "
    "same trades with their ids: import it again when the gap is closed (see /v1/gaps), or the job over (see "
    "heliograph jobs list); what was imported so far stays"
)


class Tally(msgspec.Struct):
    """What became of a file's rows: rows = stored + duplicates + rejected."""

    rows: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    skipped: int = 0
    """Rows among these that an interrupted import had settled."""
    from_ts: int | None = None
    to_ts: int | None = None
    yielded_seconds: float = 0.0
    """How long it waited for live, which comes first."""


class Rejects(Protocol):
    """Keeps what was refused."""

    def add(self, file: str, line: int, reason: str, row: str) -> None:
        """Keep one row, and why."""


class Desk(NamedTuple):
    """What files are imported with; ``tell`` is told of each page: bytes read so far, and the tally."""

    holder: str
    rejects: Rejects
    tell: Callable[[int, Tally], None]
    clock: Clock
    yield_above_seconds: float


class Source(NamedTuple):
    """A file, and what is in it."""

    path: Path
    layout_of: LayoutOf
    instrument: Instrument
    told_as: str
    """Format and columns: the same file read otherwise is another import."""


class _Settled(NamedTuple):
    line: Line
    row: Row | None


def check(source: Source, desk: Desk) -> Tally:
    """Return what would become of a file's rows, were none of them stored; nothing is written."""
    tally = Tally()
    with Counted(source.path) as file, opened(file, source.path.name) as rows:
        received_at = desk.clock()
        layout = _layout(source, rows)
        for page in _pages(rows.lines, layout, 0, received_at, desk, source.path.name):
            _count(tally, page)
            desk.tell(file.tell(), tally)
    return tally


async def run(connection: "Connection", source: Source, desk: Desk) -> Tally:
    """Store a file's trades, and return what became of its rows; raises InvalidInputError, StoreError.

    A file of which no row among the first can be read is refused before anything is written.
    """
    began = _began(source, desk)
    [listed] = (await register(connection, [source.instrument])).values()
    mark = f"{digest(source.path)}/{source.told_as}"
    lease = Lease(desk.holder, _LEASE_SECONDS)
    begun = await imports.begin(connection, listed, lease, mark=mark, name=source.path.name, from_ts=began)
    work = _Import(connection, listed, begun.chunk, lease, desk)
    try:
        return await work.run(source, begun.line, begun.stored)
    except InvalidInputError as error:
        await imports.fail(connection, begun.chunk, str(error))
        raise


class _Import:
    def __init__(
        self, connection: "Connection", listed: Listed, chunk: Chunk, lease: Lease, desk: Desk
    ) -> None:
        self._connection = connection
        self._listed = listed
        self._chunk = chunk
        self._lease = lease
        self._desk = desk
        self._days: set[int] = set()

    async def run(self, source: Source, done: int, stored: int) -> Tally:
        tally = Tally(stored=stored)
        with Counted(source.path) as file, opened(file, source.path.name) as rows:
            layout, received_at = _layout(source, rows), self._desk.clock()
            runs = Runs(self._listed.instrument_id)
            pages = _pages(
                rows.lines, layout, self._listed.instrument_id, received_at, self._desk, source.path.name
            )
            for page in pages:
                _count(tally, page)
                runs.coarseness = layout.coarseness
                if page[-1].line.number <= done:
                    runs.follow(each.row for each in page)
                    tally.skipped = tally.rows
                else:
                    tally.yielded_seconds += await yield_to_live(
                        self._connection, self._desk.yield_above_seconds
                    )
                    tally.stored += await self._store(page, runs, layout)
                self._desk.tell(file.tell(), tally)
        await self._finish()
        tally.duplicates = tally.rows - tally.rejected - tally.stored
        return tally

    async def _store(self, page: Sequence[_Settled], runs: Runs, layout: Layout) -> int:
        """Store a page; return how many of its trades are new."""
        rows = [each.row for each in page if each.row]
        await self._ensure_days(row.trade.ts for row in rows)
        proven = runs.follow(each.row for each in page)
        tolerance = TOLERANCES.get(self._listed.instrument.exchange, 0) if layout.numbered else 0
        with translated("storing a page"):
            async with self._connection.transaction():
                if layout.numbered:
                    trades = [row.trade for row in rows]
                else:
                    await self._demand_unhealed(rows)
                    trades = await self._unknown(rows, layout.coarseness)
                self._reach(trades)
                made = Page(trades=trades, line=page[-1].line.number, proven=proven, tolerance=tolerance)
                stored = await imports.store(self._connection, self._chunk, self._lease, made)
                await fill_proven(self._connection, self._listed.instrument_id, proven)
                return stored

    def _reach(self, trades: Sequence[Trade]) -> None:
        to_ts = max([self._chunk.to_ts, *(trade.ts + 1 for trade in trades)])
        self._chunk = msgspec.structs.replace(self._chunk, to_ts=to_ts)

    async def _demand_unhealed(self, rows: Sequence[Row]) -> None:
        """Raise StoreBusyError where the venue's history is about to tell these trades, with their ids."""
        times = [row.trade.ts for row in rows]
        from_ts, to_ts = min(times, default=0), max(times, default=0) + 1
        if await imports.is_awaited(self._connection, self._listed, from_ts, to_ts):
            raise StoreBusyError(_HEALED)

    async def _unknown(self, rows: Sequence[Row], coarseness: int) -> list[Trade]:
        """Return the trades that stand not yet, by whatever road: more of them than their equals there."""
        known = await imports.equals(self._connection, self._listed, [row.trade for row in rows], coarseness)
        return [
            row.trade
            for row in rows
            if (row.ordinal or 0) >= known.get((row.trade.ts, row.trade.price, row.trade.size), 0)
        ]

    async def _finish(self) -> None:
        """End the import, and the gaps that it filled; durably, where its pages were not."""
        with translated("finishing an import"):
            async with self._connection.transaction():
                await self._connection.execute("SET LOCAL synchronous_commit = on")
                await chunks.hold(self._connection, self._chunk, self._lease)
                await fill_numbered(self._connection, self._chunk)
                await chunks.finish(self._connection, self._chunk)

    async def _ensure_days(self, times: Iterator[int]) -> None:
        days = {day_of(ts) for ts in times}
        if fresh := [day for day in days if day.toordinal() not in self._days]:
            await ensure_days(self._connection, fresh)
            self._days.update(day.toordinal() for day in fresh)


def _layout(source: Source, rows: Opened) -> Layout:
    if not rows.first:
        message = f"{source.path.name} holds no rows"
        raise InvalidInputError(message, where="file")
    return source.layout_of(rows.names, rows.first, source.instrument)


def _began(source: Source, desk: Desk) -> int:
    """Return the time of the first row that can be read.

    Raises InvalidInputError where every one of the first is refused: it is another format then.
    """
    with Counted(source.path) as file, opened(file, source.path.name) as rows:
        layout = _layout(source, rows)
        looked = [_settled(line, layout, 0, desk.clock()) for line in islice(rows.lines, PAGE_ROWS)]
    found = next((each for each in looked if isinstance(each, Row)), None)
    if found is None:
        message = f"{source.path.name}: not one of the first {len(looked)} rows can be read: {looked[0]}"
        raise InvalidInputError(message, where="format")
    return found.trade.ts


def _pages(  # noqa: PLR0913, PLR0917 - what a row is read with
    lines: Iterator[Line], layout: Layout, instrument_id: int, received_at: int, desk: Desk, name: str
) -> Iterator[list[_Settled]]:
    """Yield rows some at a time; those that are refused are kept aside."""
    while some := list(islice(lines, PAGE_ROWS)):
        page = []
        for line in some:
            made = _settled(line, layout, instrument_id, received_at)
            if isinstance(made, str):
                desk.rejects.add(name, line.number, made, line.text)
            page.append(_Settled(line, None if isinstance(made, str) else made))
        yield page


def _settled(line: Line, layout: Layout, instrument_id: int, received_at: int) -> Row | str:
    """Return what a line is, or why it is refused."""
    if line.fields is None:
        return line.wrong
    try:
        return layout.row(line.fields, instrument_id, received_at)
    except RefusedTickError as refused:
        return refused.reason


def _count(tally: Tally, page: Sequence[_Settled]) -> None:
    times = [each.row.trade.ts for each in page if each.row]
    tally.rows += len(page)
    tally.rejected += len(page) - len(times)
    if times:
        tally.from_ts = min(times) if tally.from_ts is None else min(tally.from_ts, *times)
        tally.to_ts = max(times) if tally.to_ts is None else max(tally.to_ts, *times)


def digest(path: Path) -> str:
    """Return what tells a file's content from that of others."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
