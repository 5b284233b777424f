"""What the scheduler did and is asked to do: a row a run, and a row a pause."""

from typing import TYPE_CHECKING

import msgspec

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("schedules")

DONE = "done"
FAILED = "failed"
INTERRUPTED = "interrupted"
UNFINISHED = frozenset({"asked", "running"})


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a chore: asked, running, done, failed, or interrupted; times in microseconds."""

    run_id: int
    name: str
    state: str
    asked_at: int
    began_at: int | None
    ended_at: int | None
    detail: str


class LastRun(Run, frozen=True, kw_only=True):
    """The newest run of a chore; how many were interrupted since one ended by itself, and since when."""

    interrupted: int
    interrupted_since: int | None


async def begin(connection: "Connection", name: str) -> int:
    """Record that a chore begins; return the id of its run."""
    with translated("recording a run"):
        run_id: int = await connection.fetchval(_sql.begin, name)
    return run_id


async def begin_asked(connection: "Connection") -> list[tuple[int, str]]:
    """Take over what was asked for: ids and names of runs, which are recorded as begun."""
    with translated("looking for runs that are asked for"):
        return sorted((run_id, name) for run_id, name in await connection.fetch(_sql.begin_asked))


async def finish(connection: "Connection", run_id: int, state: str, detail: str) -> None:
    """Record how a run ended."""
    with translated("recording the end of a run"):
        await connection.execute(_sql.finish, run_id, state, detail)


async def interrupt(connection: "Connection") -> None:
    """Record that the runs of a scheduler that is no more have ended with it."""
    with translated("looking for interrupted runs"):
        await connection.execute(_sql.interrupt)


async def ask(connection: "Connection", name: str) -> int:
    """Ask the elected scheduler for a run now; return its id."""
    with translated("asking for a run"):
        run_id: int = await connection.fetchval(_sql.ask, name)
    return run_id


async def run(connection: "Connection", run_id: int) -> Run:
    """Return a run as it stands."""
    with translated("reading a run"):
        return Run(**dict(await connection.fetchrow(_sql.run, run_id) or {}))


async def last(connection: "Connection") -> dict[str, LastRun]:
    """Return the newest run of each chore that ever ran, by its name."""
    with translated("reading what ran last"):
        return {row["name"]: LastRun(**dict(row)) for row in await connection.fetch(_sql.last)}


async def runs(connection: "Connection", name: str | None, limit: int) -> list[Run]:
    """Return the newest runs, of all chores or of one, the newest first."""
    with translated("reading runs"):
        return [Run(**dict(row)) for row in await connection.fetch(_sql.runs, name, limit)]


async def paused(connection: "Connection") -> set[str]:
    """Return the names of chores that are paused."""
    with translated("reading what is paused"):
        return {row["name"] for row in await connection.fetch(_sql.paused)}


async def pause(connection: "Connection", name: str) -> bool:
    """Have a chore run no more by itself; tell whether that is new."""
    with translated("pausing a chore"):
        return await connection.fetchval(_sql.pause, name) is not None


async def resume(connection: "Connection", name: str) -> bool:
    """Have a chore run by itself again; tell whether that is new."""
    with translated("resuming a chore"):
        return await connection.fetchval(_sql.resume, name) is not None


async def forget_old(connection: "Connection") -> None:
    """Drop runs of more than 30 days ago, but for the newest of each chore."""
    with translated("forgetting old runs"):
        await connection.execute(_sql.forget)
