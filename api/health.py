"""How everything stands, asked of PostgreSQL and Redis within a second or two."""

import asyncio
from collections.abc import Iterator
from enum import StrEnum

from redis.exceptions import RedisError

from api import replicas
from api.faults import faults, notes
from api.replicas import Replica
from api.schemas import Row
from api.state import State
from db import overview
from db.overview import IngesterRow, Overview
from market.errors import StoreError
from market.times import SECOND, to_iso
from runtime.clock import now

_WITHIN_SECONDS = 2.0
_STALE_FEED_SECONDS = 30.0
_WAITED_TOO_LONG_SECONDS = 5.0
_MISSED_BEAT_SECONDS = 5.0
_NO_SNAPSHOT_SECONDS = 30.0
_BUFFER_ALARM = 0.7
_MEMORY_ALARM = 0.8


class Status(StrEnum):
    """``down``: nothing can be answered. ``degraded``: something that it names is amiss."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Feed(Row):
    """A connection to a venue; `age_seconds` since its last frame; before that, since it was wanted."""

    exchange: str
    url: str
    symbols: list[str]
    state: str
    detail: str
    age_seconds: float | None


class Process(Row):
    """A process that has not ended in order; `age_seconds` since its last heartbeat."""

    role: str
    host: str
    pid: int
    age_seconds: float


class Queue(Row):
    """What no worker has claimed yet."""

    batches: int
    ticks: int
    oldest_seconds: float


class Repairs(Row):
    """What waits to be computed again (`dirty`) and to be told (`staged`), and how many kinds are stopped."""

    dirty: int
    staged: int
    oldest_seconds: float
    quarantines: int


class Gaps(Row):
    """How many gaps are not closed; `/v1/gaps` lists them."""

    open: int
    healing: int
    unrecoverable: int


class Ingester(Row):
    """How full an ingester's buffer is and was, how long sockets were not read for it, and its memory.

    `waiting_bytes` are held by updates of books that wait for a snapshot.
    """

    host: str
    pid: int
    buffer_share: float
    buffer_peak_share: float
    saturated: bool
    paused_reads: int
    paused_seconds: float
    waiting_bytes: int
    resident_bytes: int | None
    memory_limit_bytes: int | None


class Book(Row):
    """An order book: `invalid`, waiting for a `snapshot`, or `valid`; `cause` of its last resync."""

    exchange: str
    symbol: str
    state: str
    since: str
    resyncs: int
    cause: str


class Health(Row):
    """How things stand; `problems` says in words what keeps `status` from `ok`, `notes` what does not."""

    status: Status
    simulated: bool
    recorded: bool
    problems: list[str]
    notes: list[str]
    database: bool
    redis: bool
    replica: Replica | None
    queue: Queue | None
    repairs: Repairs | None
    gaps: Gaps | None
    feeds: list[Feed]
    processes: list[Process]
    ingesters: list[Ingester]
    books: list[Book]


async def examine(here: State) -> Health:
    """Return how things stand now."""
    seen, redis, replica = await asyncio.gather(_overview(here), _redis(here), replicas.examine(here))
    problems = [*_problems(seen, redis=redis), *replicas.problems(replica)]
    return Health(
        status=_status(seen, problems),
        simulated=here["settings"].simulated,
        recorded=here["settings"].recorded,
        problems=problems,
        notes=[] if seen is None else list(notes(seen)),
        database=seen is not None,
        redis=redis,
        replica=replica,
        queue=_queue(seen),
        repairs=_repairs(seen),
        gaps=_gaps(seen),
        feeds=_feeds(seen),
        processes=_processes(seen),
        ingesters=_ingesters(seen),
        books=_books(seen),
    )


async def _overview(here: State) -> Overview | None:
    try:
        async with asyncio.timeout(_WITHIN_SECONDS), here["database"].connection() as connection:
            return await overview.read(connection)
    except (StoreError, TimeoutError):
        return None  # which is the finding


async def _redis(here: State) -> bool:
    try:
        await here["cache"].ping()
    except (RedisError, OSError):
        return False  # which is the finding
    return True


def _status(seen: Overview | None, problems: list[str]) -> Status:
    if seen is None:
        return Status.DOWN
    return Status.DEGRADED if problems else Status.OK


def _problems(seen: Overview | None, *, redis: bool) -> Iterator[str]:
    if not redis:
        yield "redis does not answer: everything goes on through PostgreSQL, a little slower"
    if seen is None:
        yield "the database does not answer"
        return
    if seen.queue.oldest_seconds > _WAITED_TOO_LONG_SECONDS:
        yield f"ticks have waited for workers for {seen.queue.oldest_seconds:.0f} s"
    for feed in seen.sockets:
        if feed.frame_age_seconds is None or feed.frame_age_seconds > _STALE_FEED_SECONDS:
            yield f"feed {feed.exchange} is {feed.state} and silent: {feed.detail or feed.url}"
    for unheard in seen.unheard:
        yield f"nobody listens to {unheard}: start an ingester, or pause or remove the feed"
    for process in seen.processes:
        if process.beat_age_seconds > _MISSED_BEAT_SECONDS:
            yield f"{process.role} (process {process.pid}) has not been seen lately"
    for ingester in seen.ingesters:
        yield from _strained(ingester)
    yield from faults(seen)


def _strained(ingester: IngesterRow) -> Iterator[str]:
    """Say what an ingester runs short of, and which books have had no snapshot for long."""
    pressure, who = ingester.pressure, f"ingest (process {ingester.pid})"
    if pressure.saturated or pressure.share >= _BUFFER_ALARM:
        yield f"{who} waits for the database: its buffer is {pressure.share:.0%} full"
    if pressure.resident_bytes and pressure.memory_limit_bytes:
        share = pressure.resident_bytes / pressure.memory_limit_bytes
        if share >= _MEMORY_ALARM:
            yield f"{who} holds {share:.0%} of the memory that it may hold"
    for book in ingester.books:
        if book.state == "snapshot" and now() - book.since > _NO_SNAPSHOT_SECONDS * SECOND:
            yield f"the book of {book.exchange}:{book.symbol} waits for a snapshot ({book.cause or 'first'})"


def _queue(seen: Overview | None) -> Queue | None:
    if seen is None:
        return None
    queue = seen.queue
    return Queue(batches=queue.batches, ticks=queue.ticks, oldest_seconds=queue.oldest_seconds)


def _repairs(seen: Overview | None) -> Repairs | None:
    if seen is None:
        return None
    repairs = seen.repairs
    return Repairs(
        dirty=repairs.dirty,
        staged=repairs.staged,
        oldest_seconds=repairs.oldest_seconds,
        quarantines=repairs.quarantines,
    )


def _gaps(seen: Overview | None) -> Gaps | None:
    if seen is None:
        return None
    gaps = seen.gaps
    return Gaps(open=gaps.open, healing=gaps.healing, unrecoverable=gaps.unrecoverable)


def _feeds(seen: Overview | None) -> list[Feed]:
    return [
        Feed(
            exchange=feed.exchange,
            url=feed.url,
            symbols=feed.symbols,
            state=feed.state,
            detail=feed.detail,
            age_seconds=feed.silent_seconds,
        )
        for feed in (seen.sockets if seen else ())
    ]


def _processes(seen: Overview | None) -> list[Process]:
    return [
        Process(role=each.role, host=each.host, pid=each.pid, age_seconds=each.beat_age_seconds)
        for each in (seen.processes if seen else ())
    ]


def _ingesters(seen: Overview | None) -> list[Ingester]:
    return [
        Ingester(
            host=each.host,
            pid=each.pid,
            buffer_share=each.pressure.share,
            buffer_peak_share=each.pressure.peak_share,
            saturated=each.pressure.saturated,
            paused_reads=each.pressure.pauses,
            paused_seconds=each.pressure.paused_seconds,
            waiting_bytes=each.pressure.waiting_bytes,
            resident_bytes=each.pressure.resident_bytes,
            memory_limit_bytes=each.pressure.memory_limit_bytes,
        )
        for each in (seen.ingesters if seen else ())
    ]


def _books(seen: Overview | None) -> list[Book]:
    return [
        Book(
            exchange=book.exchange,
            symbol=book.symbol,
            state=book.state,
            since=to_iso(book.since),
            resyncs=book.resyncs,
            cause=book.cause,
        )
        for each in (seen.ingesters if seen else ())
        for book in each.books
    ]
