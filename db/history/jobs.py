"""Read the pieces of jobs back, a page at a time."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import ColumnElement, case, func, literal, select

from db import schema
from db.history.composed import Statement
from db.history.windows import Key, Window

if TYPE_CHECKING:
    from db.connections import Connection

_c, _j = schema.chunks.c, schema.jobs.c


class ChunkState(StrEnum):
    """How far a piece of a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which chunks: of these instruments, of these kinds of job (all), in these states (all)."""

    instrument_ids: Sequence[int]
    kinds: Sequence[str] = ()
    states: Sequence[ChunkState] = ()


class StoredChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a job: [from_ts, to_ts) of an instrument's tape; ``detail`` says what it last ran into."""

    chunk_id: int
    job_id: int
    gap_id: int | None
    instrument_id: int
    kind: str
    state: str
    from_ts: int
    to_ts: int
    attempts: int
    rounds: int
    requests: int
    stored: int
    created_at: int
    due_at: int
    finished_at: int | None
    detail: str


async def read(connection: "Connection", window: Window, filters: Filters) -> list[StoredChunk]:
    """Return a page of the chunks that overlap the window, in the order of their ids."""
    order = _c.chunk_id.desc() if window.newest_first else _c.chunk_id
    statement = select(*_COLUMNS).join(schema.jobs, _j.job_id == _c.job_id)
    for condition in _conditions(window, filters):
        statement = statement.where(condition)
    page = Statement(statement.order_by(order).limit(window.limit))
    rows = await page.fetch(connection, "reading jobs")
    return [StoredChunk(**dict(row)) for row in rows]


def key(chunk: StoredChunk) -> Key:
    """Return what a page that ends with this chunk is continued from."""
    return (chunk.chunk_id,)


_HELD: Final = (_c.state == ChunkState.WAITING) & (_c.leased_until > func.clock_timestamp())
_STATE: Final = case((_HELD, literal(ChunkState.RUNNING.value)), else_=_c.state).label("state")
_ELSEWHERE: Final = {
    "kind": _j.kind,
    "state": _STATE,
    "created_at": _j.created_at,
    "finished_at": _j.finished_at,
}
_COLUMNS: Final = [
    _ELSEWHERE[name] if name in _ELSEWHERE else _c[name] for name in StoredChunk.__struct_fields__
]


def _conditions(window: Window, filters: Filters) -> Iterator[ColumnElement[bool]]:
    yield _c.instrument_id.in_(filters.instrument_ids)
    if filters.kinds:
        yield _j.kind.in_(filters.kinds)
    if filters.states:
        yield _STATE.element.in_(filters.states)
    if window.from_ts is not None:
        yield _c.to_ts > literal(window.from_ts, _c.to_ts.type)
    if window.to_ts is not None:
        yield _c.from_ts < literal(window.to_ts, _c.from_ts.type)
    if window.after is not None:
        after = window.after[0]
        yield _c.chunk_id < after if window.newest_first else _c.chunk_id > after
