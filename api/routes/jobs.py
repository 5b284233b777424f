"""GET /v1/jobs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.answers import all_listed, listing
from api.cursors import Int64
from api.histories import History
from api.lines import FORMATS
from api.questions import KindName, OutcomesQuestion
from api.schemas import Page, Row
from api.state import Here, State
from db.history import jobs as stored
from db.history.jobs import ChunkState, Filters, StoredChunk
from db.history.windows import Window
from db.instruments import Listed
from market.times import to_iso

router = APIRouter()


class JobsQuestion(OutcomesQuestion):
    """Which pieces of jobs: those that overlap [from, to), in the order in which they were asked for."""

    kind: list[KindName] = Field(
        default=[], description="Like heal, or backfill; all when left out; may be repeated."
    )
    state: list[ChunkState] = Field(default=[], description="All states when left out; may be repeated.")


class Job(Row):
    """A piece [from_ts, to_ts) of a job of the backfill lane.

    `gap_id` is the gap that it heals. `tries` went without an answer, one after the other; `rounds` are
    whole answers that lacked trades. `error` is what it last ran into: it is tried again at `due_at`.
    """

    job_id: int
    chunk_id: int
    gap_id: int | None
    kind: str
    state: ChunkState
    exchange: str
    symbol: str
    from_ts: str
    to_ts: str
    tries: int
    rounds: int
    requests: int
    stored: int
    error: str
    created_at: str
    due_at: str
    finished_at: str | None

    @classmethod
    def of(cls, listed: Listed, chunk: StoredChunk) -> "Job":
        """Return the row of a piece of a job."""
        return cls(
            job_id=chunk.job_id,
            chunk_id=chunk.chunk_id,
            gap_id=chunk.gap_id,
            kind=chunk.kind,
            state=ChunkState(chunk.state),
            exchange=listed.instrument.exchange,
            symbol=listed.instrument.symbol,
            from_ts=to_iso(chunk.from_ts),
            to_ts=to_iso(chunk.to_ts),
            tries=chunk.attempts,
            rounds=chunk.rounds,
            requests=chunk.requests,
            stored=chunk.stored,
            error=chunk.detail,
            created_at=to_iso(chunk.created_at),
            due_at=to_iso(chunk.due_at),
            finished_at=None if chunk.finished_at is None else to_iso(chunk.finished_at),
        )


@router.get("/v1/jobs", response_model=Page[Job], responses=FORMATS, tags=["operation"])
async def jobs(request: Request, question: Annotated[JobsQuestion, Query()], here: Here) -> Response:
    """Read what the backfill lane was asked for, piece by piece, and what became of it."""
    moving = here["settings"].moving_cache_seconds
    return await listing(request, question, here, lambda: _opened(question, here), at_most_seconds=moving)


async def _opened(question: JobsQuestion, here: State) -> History[StoredChunk]:
    catalogue = here["catalogue"]
    listed = await all_listed(here, question.exchange, question.symbol)
    filters = Filters(
        instrument_ids=[each.instrument_id for each in listed], kinds=question.kind, states=question.state
    )

    async def read(window: Window) -> list[StoredChunk]:
        async with here["database"].connection() as connection:
            return await stored.read(connection, window, filters)

    return History(
        name="jobs",
        key=tuple[Int64],
        row=Job,
        read=read,
        row_of=lambda chunk, _: Job.of(catalogue.by_id(chunk.instrument_id), chunk),
        key_of=stored.key,
    )
