"""GET, PATCH /v1/admin/jobs: long work that was asked for, as wholes. For who knows the operator's token."""

from typing import TYPE_CHECKING, Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field

from api.admission import actor, operator
from api.questions import KindName, Question
from api.schemas import Row
from api.state import Here
from db import asked as stored
from db.asked import StoredJob, StoredPiece
from db.audit import act_as
from db.differences import Difference, differences
from market.coverage import Interval
from market.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Sequence

router = APIRouter(tags=["operator"], dependencies=[Depends(operator)])

JobId = Annotated[int, Path(ge=1, le=2**63 - 1, description="A job, by number.")]
PARTS_AT_MOST: Final = 1000
"""Pieces of one job that are shown; all are counted."""

State = Literal["waiting", "running", "paused", "done", "cancelled", "failed"]


class WholeJobsQuestion(Question):
    """Which jobs, the newest first."""

    kind: list[KindName] = Field(
        default=[], description="What operators ask for when left out; may be repeated."
    )
    limit: int = Field(default=50, ge=1, le=1000)


class JobChange(Question):
    """What is to become of a job."""

    change: Literal["pause", "resume", "cancel", "retry"]


class WholeJob(Row):
    """A job and what its pieces add up to: `rows` were estimated, `fetched` came, `stored` were new.

    `detail` is what a piece last ran into.
    """

    job_id: int
    kind: str
    state: State
    instruments: list[str]
    from_ts: str | None
    to_ts: str | None
    pieces: int
    done: int
    failed: int
    rows: int
    fetched: int
    stored: int
    requests: int
    detail: str
    created_at: str
    finished_at: str | None

    @classmethod
    def of(cls, job: StoredJob) -> "WholeJob":
        """Return the row of a job."""
        times = ("from_ts", "to_ts", "created_at", "finished_at")
        told = {name: getattr(job, name) for name in job.__struct_fields__ if name != "names"}
        iso = {name: None if told[name] is None else to_iso(told[name]) for name in times}
        return cls.model_validate({**told, **iso, "instruments": list(job.names)})


class WholeJobs(Row):
    """Jobs, the newest first."""

    data: list[WholeJob]


class JobPiece(Row):
    """[from_ts, to_ts) of an instrument's tape; it is tried again at `due_at`."""

    chunk_id: int
    from_ts: str
    to_ts: str
    state: Literal["waiting", "running", "done", "cancelled", "failed"]
    rows: int
    fetched: int
    stored: int
    requests: int
    tries: int
    rounds: int
    due_at: str
    detail: str

    @classmethod
    def of(cls, piece: StoredPiece) -> "JobPiece":
        """Return the row of a piece."""
        told = {name: getattr(piece, name) for name in piece.__struct_fields__ if name in cls.model_fields}
        iso = {name: to_iso(told[name]) for name in ("from_ts", "to_ts", "due_at")}
        return cls.model_validate({**told, **iso, "tries": piece.attempts})


class Lacking(Row):
    """What the venue could not give."""

    from_ts: str
    to_ts: str
    detail: str


class JobDifference(Row):
    """Intervals of an instrument that were not proven before a job, and those that are not now."""

    instrument: str
    missing_before: list[tuple[str, str]]
    missing_now: list[tuple[str, str]]
    lacking: list[Lacking]

    @classmethod
    def of(cls, made: Difference) -> "JobDifference":
        """Return the row of a difference."""
        return cls(
            instrument=made.name,
            missing_before=_pairs(made.before),
            missing_now=_pairs(made.now),
            lacking=[
                Lacking(from_ts=to_iso(gap.from_ts), to_ts=to_iso(gap.to_ts), detail=gap.detail)
                for gap in made.lacking
            ],
        )


class JobShown(WholeJob):
    """A job with its pieces, 1000 at most, those that are not done first; and what it changed so far."""

    parts: list[JobPiece]
    coverage: list[JobDifference]


@router.get("/v1/admin/jobs")
async def jobs(asked: Annotated[WholeJobsQuestion, Query()], here: Here) -> WholeJobs:
    """Read jobs as wholes."""
    async with here["database"].connection() as connection:
        found = await stored.jobs(connection, kinds=asked.kind or stored.KINDS, limit=asked.limit)
    return WholeJobs(data=[WholeJob.of(job) for job in found])


@router.get("/v1/admin/jobs/{job_id}")
async def job(job_id: JobId, here: Here) -> JobShown:
    """Read one job, piece by piece, with what is covered now that was not before."""
    async with here["database"].connection() as connection:
        found = await stored.job(connection, job_id)
        parts = await stored.pieces(connection, job_id, PARTS_AT_MOST)
        changed = await differences(connection, found)
    whole = WholeJob.of(found).model_dump()
    return JobShown(
        **whole,
        parts=[JobPiece.of(part) for part in parts],
        coverage=[JobDifference.of(each) for each in changed],
    )


@router.patch("/v1/admin/jobs/{job_id}")
async def change(job_id: JobId, asked: JobChange, request: Request, here: Here) -> WholeJob:
    """Pause a job, resume it, cancel it, or try again what failed."""
    async with here["database"].connection() as connection, connection.transaction():
        await act_as(connection, actor(request), in_transaction=True)
        await stored.change(connection, asked.change, job_id)
        return WholeJob.of(await stored.job(connection, job_id))


def _pairs(intervals: "Sequence[Interval]") -> list[tuple[str, str]]:
    return [(to_iso(each.from_ts), to_iso(each.to_ts)) for each in intervals]
