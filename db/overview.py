"""How things stand: feeds, processes, and the queue, with ages by PostgreSQL's clock."""

from typing import TYPE_CHECKING, Any

import msgspec

from db import schedules, verifications
from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("overview")


class SocketRow(msgspec.Struct, frozen=True, kw_only=True):
    """One connection to a venue; ``frame_age_seconds`` is None before its first frame.

    ``silent_seconds`` are then those since it was wanted.
    """

    exchange: str
    url: str
    state: str
    symbols: list[str]
    detail: str
    frame_age_seconds: float | None
    silent_seconds: float | None
    row_age_seconds: float


class RunningProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that has not said that it stopped."""

    process_id: str
    role: str
    host: str
    pid: int
    started_at: int
    beat_age_seconds: float


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What ingest has committed and no worker has claimed yet."""

    batches: int
    ticks: int
    oldest_seconds: float


class Repairs(msgspec.Struct, frozen=True, kw_only=True):
    """What waits to be computed again (``dirty``) and told (``staged``), and how many kinds are stopped."""

    dirty: int
    staged: int
    oldest_seconds: float
    quarantines: int


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """How many intervals are not proven."""

    open: int
    healing: int
    unrecoverable: int


class PressureRow(msgspec.Struct, frozen=True, kw_only=True):
    """What an ingester tells of its buffer and its memory; shares are of their bounds."""

    share: float = 0.0
    peak_share: float = 0.0
    saturated: bool = False
    pauses: int = 0
    paused_seconds: float = 0.0
    waiting_bytes: int = 0
    resident_bytes: int | None = None
    memory_limit_bytes: int | None = None


class BookRow(msgspec.Struct, frozen=True, kw_only=True):
    """How a book stands since ``since`` (microseconds); ``resyncs`` counts how often it was found wrong."""

    exchange: str
    symbol: str
    state: str
    since: int
    resyncs: int
    cause: str


class IngesterRow(msgspec.Struct, frozen=True, kw_only=True):
    """An ingester that runs."""

    process_id: str
    host: str
    pid: int
    pressure: PressureRow
    books: list[BookRow]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that health tells of the database; ``unheard`` are feeds that nobody listens to.

    ``differences`` are those of the newest day that was verified.
    """

    sockets: list[SocketRow]
    unheard: list[str]
    processes: list[RunningProcess]
    ingesters: list[IngesterRow]
    queue: Queue
    repairs: Repairs
    gaps: Gaps
    failed_chores: list[str]
    differences: int


async def read(connection: "Connection") -> Overview:
    """Return how things stand now."""
    with translated("reading the overview"):
        sockets = await connection.fetch(_sql.sockets)
        unheard = await connection.fetch(_sql.unheard)
        processes = await connection.fetch(_sql.processes)
        ingesters = await connection.fetch(_sql.ingesters)
        queue = await connection.fetchrow(_sql.queue)
        repairs = await connection.fetchrow(_sql.repairs)
        gaps = await connection.fetchrow(_sql.gaps)
    chores, verified = await schedules.last(connection), await verifications.newest(connection)
    return Overview(
        sockets=[SocketRow(**dict(row)) for row in sockets],
        unheard=[row["feed"] for row in unheard],
        processes=[RunningProcess(**dict(row)) for row in processes],
        ingesters=[_ingester(dict(row)) for row in ingesters],
        queue=Queue(**dict(queue or {})),
        repairs=Repairs(**dict(repairs or {})),
        gaps=Gaps(**dict(gaps or {})),
        failed_chores=[name for name, run in sorted(chores.items()) if run.state == schedules.FAILED],
        differences=verified.differences,
    )


def _ingester(row: dict[str, Any]) -> IngesterRow:
    """Read what a heartbeat carries; one of an older version carries less."""
    pressure = msgspec.json.decode(row.pop("pressure") or "{}", type=PressureRow)
    books = msgspec.json.decode(row.pop("books") or "[]", type=list[BookRow])
    return IngesterRow(pressure=pressure, books=books, **row)


class BudgetRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a process has in use of what a venue may be asked at once, in the venue's own measure."""

    name: str
    limit: float
    used: float
    waits: int
    waited_seconds: float


async def budgets(connection: "Connection") -> list[tuple[str, BudgetRow]]:
    """Return the budgets of each process that asks venues, and runs, beside its host and pid."""
    with translated("reading budgets"):
        rows = await connection.fetch(_sql.budgets)
    return [
        (f"{host}:{pid}", budget)
        for host, pid, told in rows
        for budget in msgspec.json.decode(told or "[]", type=list[BudgetRow])
    ]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the ticks of one exchange and kind since the first ingester that is remembered."""

    exchange: str
    kind: str
    stored: int
    duplicates: int
    conflated: int
    rejected: int


async def tallies(connection: "Connection") -> list[Tally]:
    """Return what became of ticks, as ingesters told in their heartbeats."""
    with translated("reading tallies"):
        rows = await connection.fetch(_sql.tallies)
    return [Tally(**dict(row)) for row in rows]


async def newest_beat(connection: "Connection") -> int | None:
    """Return when any process was seen last, as this server knows it; None before the first."""
    with translated("reading the newest heartbeat"):
        seen_at: int | None = await connection.fetchval(_sql.newest_beat)
    return seen_at


async def listing(connection: "Connection") -> tuple[int, int]:
    """Return a mark that changes whenever an instrument is listed."""
    with translated("looking for new instruments"):
        row = await connection.fetchrow(_sql.listing)
    return tuple(row or (0, 0))


async def signals(connection: "Connection") -> dict[str, int]:
    """Return how many signals of each kind live workers have computed."""
    with translated("counting signals"):
        return {row["kind"]: row["signals"] for row in await connection.fetch(_sql.signals)}


async def published(connection: "Connection") -> tuple[int, float]:
    """Return how many publications live workers handed to the bus, and in how many seconds in sum."""
    with translated("counting publications"):
        row = await connection.fetchrow(_sql.published)
    return (row["publications"], row["seconds"]) if row else (0, 0.0)


class CountedProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that runs, and what it has counted since it began."""

    process_id: str
    role: str
    host: str
    pid: int
    age_seconds: float
    counters: dict[str, Any]


async def counted(connection: "Connection") -> list[CountedProcess]:
    """Return what each process that runs has counted."""
    with translated("reading what processes counted"):
        rows = [dict(row) for row in await connection.fetch(_sql.counted)]
    return [
        CountedProcess(counters=msgspec.json.decode(row.pop("counters"), type=dict[str, Any]), **row)
        for row in rows
    ]
