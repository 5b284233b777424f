"""Roles as processes of their own, on stores of the test's own, and conditions to wait for."""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from db.connections import connect, connected
from db.processes import ProcessRow, processes
from heliograph.embedded.children import tail_of
from heliograph.embedded.postgres import Postgres
from heliograph.embedded.valkey import Valkey
from heliograph.roles import API, INGEST, WORKER_LIVE, Role
from tests.acceptance.processes import Process, Venue
from tests.acceptance.subscriber import Subscriber

if TYPE_CHECKING:
    from db.connections import Connection

KINDS = ("trades", "quotes", "depths")
OUTCOMES = ("stored", "duplicates", "conflated", "rejected")
WITHIN_SECONDS = 90.0
_LOOK_EVERY_SECONDS = 0.03
_LOG_LINES = 12

_CLAIMING = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'heliograph worker-live'
  AND (state = 'idle in transaction' OR query_start > xact_start)
"""

Found = TypeVar("Found")
Tally = dict[str, int]
"""Offered, stored, duplicates, conflated, and rejected ticks of one kind."""


class House:
    """Starts roles, looks at what they do, and sees that all of them end in order."""

    def __init__(self, postgres: Postgres, valkey: Valkey, folder: Path, http: httpx.AsyncClient) -> None:
        self.postgres = postgres
        self.valkey = valkey
        self.http = http
        self.running: list[Process] = []
        self._commands: list[Process] = []
        self._folder = folder
        self._started: Counter[str] = Counter()
        self._eye: Connection | None = None
        self._reader, self._writer = os.pipe()
        """The roles end when we do, however we end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_eye()
        for process in (*self.running, *self._commands):
            process.kill()
        os.close(self._writer)
        os.close(self._reader)

    # Processes.

    async def start(self, *roles: Role, **environment: str) -> list[Process]:
        """Start one process a role and return when each has told of itself."""
        started = [self._start(role, environment) for role in roles]
        pids = {process.pid for process in started}

        async def beat() -> bool:
            return pids <= {row.pid for row in await self.rows()}

        await self.until(beat)
        return started

    async def ingest(self, venue: Venue, **environment: str) -> Process:
        """Start an ingester and return at once: the tape may be short."""
        return self._start(INGEST, {**await venue.feed(), **environment})

    async def replace(self) -> Process:
        """Start a live worker and return at once."""
        return self._start(WORKER_LIVE, {})

    async def venue(self, *arguments: str) -> Venue:
        process = self._run("sim", (sys.executable, "-m", "sim", "--venue", *arguments), {})
        ready = await self._said(process, "stream_url")
        return Venue(process, ready["stream_url"], ready["rest_url"], self.http)

    async def api(self) -> str:
        """Start the API on a port that is free, and return its address."""
        (process,) = await self.start(API, HELIOGRAPH_API_PORT="0")
        return str((await self._said(process, "url"))["url"])

    async def stop(self, *stopped: Process) -> list[int]:
        """Tell processes to end, and return their exit statuses when they have."""
        for process in stopped:
            self.running.remove(process)
            process.terminate()
        return [await asyncio.to_thread(process.end) for process in stopped]

    def command(self, *arguments: str) -> Process:
        """Begin a command, which ends by itself."""
        process = self._run("command", (sys.executable, "-m", "heliograph", *arguments), {})
        self.running.remove(process)
        self._commands.append(process)
        return process

    def kill(self, process: Process) -> None:
        self.running.remove(process)
        process.kill()

    def _start(self, role: Role, environment: dict[str, str]) -> Process:
        program = role.program({})
        return self._run(program.name, program.command, environment)

    def _run(self, name: str, command: tuple[str, ...], environment: dict[str, str]) -> Process:
        self._started[name] += 1
        log = self._folder / f"{name}-{self._started[name]}.log"
        process = Process(name, command, self._environment() | environment, log)
        self.running.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")}
        return inherited | {
            "HELIOGRAPH_DATABASE_URL": self.postgres.url,
            "HELIOGRAPH_REDIS_URL": self.valkey.url,
            "HELIOGRAPH_SIMULATED": "true",
            "HELIOGRAPH_PARENT_FD": str(self._reader),
        }

    # Conditions.

    async def until(
        self, condition: Callable[[], Awaitable[Found]], within_seconds: float = WITHIN_SECONDS
    ) -> Found:
        """Return what the condition gives, once that is true; nobody may end meanwhile."""
        deadline = time.monotonic() + within_seconds
        while not (found := await condition()):
            ended = [process for process in self.running if process.status is not None]
            assert ended == [], self._logs(ended)
            assert time.monotonic() < deadline, f"never came: {condition}\n{self._logs(self.running)}"
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        return found

    async def settled(self, venue: Venue) -> None:
        """Return when all that the venue sent is stored, and all that is stored is folded."""
        await self.until(venue.finished)
        offered = (await venue.status())["offered"]

        async def stored() -> bool:
            tallies = await self.tallies()
            return offered == {kind: tallies[kind]["offered"] for kind in KINDS} and all(
                tally["offered"] == sum(tally[outcome] for outcome in OUTCOMES) for tally in tallies.values()
            )

        await self.until(stored)
        await self.folded()

    async def folded(self) -> None:
        """Return when no batch waits."""

        async def nothing_waits() -> bool:
            return not await self.value("SELECT EXISTS (SELECT FROM batches)")

        await self.until(nothing_waits)

    async def in_mid_claim(self) -> bool:
        """Tell whether a live worker has a transaction open."""
        return bool(await self.value(_CLAIMING))

    async def waiting_in_mid_claim(self) -> bool:
        """Tell whether a live worker waits for a lock."""
        return bool(await self.value(f"{_CLAIMING} AND wait_event_type = 'Lock'"))

    async def delivered(self, subscriber: Subscriber) -> None:
        """Return when the subscriber has as much as the log."""

        async def everything() -> bool:
            return subscriber.count == await self.value("SELECT count(*) FROM publications")

        await self.until(everything)

    async def _said(self, process: Process, field: str) -> dict[str, Any]:
        async def line() -> dict[str, Any] | None:
            return process.said(field)

        return await self.until(line) or {}

    def _logs(self, processes_: list[Process]) -> str:
        return "\n".join(f"{each.log} ends:\n{tail_of(each.log, _LOG_LINES)}" for each in processes_)

    # What PostgreSQL has.

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Connection"]:
        async with connected(self.postgres.url, "test") as connection:
            yield connection

    async def value(self, query: str, *arguments: object) -> int:
        number: int = await (await self._looking()).fetchval(query, *arguments)
        return number

    async def rows(self, role: str | None = None) -> list[ProcessRow]:
        """Return what the processes, of one role or of all, have told of themselves."""
        connection = await self._looking()
        roles = [role] if role else await _roles(connection)
        return [row for each in roles for row in await processes(connection, each, 0)]

    async def tallies(self) -> dict[str, Tally]:
        """Return what the ingesters, together, have told of each kind."""
        tallies: dict[str, Tally] = {kind: Counter() for kind in KINDS}
        for row in await self.rows(INGEST.name):
            for venue in row.counters["feeds"].values():
                for kind, counts in venue.items():
                    tallies[kind].update({**counts, "rejected": sum(counts["rejected"].values())})
        return tallies

    async def in_store(self) -> dict[str, int]:
        """Return how many ticks of each kind there are."""
        return {kind: await self.value(f"SELECT count(*) FROM {kind}") for kind in KINDS}  # noqa: S608

    async def _looking(self) -> "Connection":
        """Return the connection that conditions are looked at with."""
        if self._eye is None:
            self._eye = await connect(self.postgres.url, "test")
        return self._eye

    def restart_postgres(self) -> None:
        """Stop PostgreSQL, ending all sessions, and start it again where it was."""
        self.stop_postgres()
        self.postgres.start()

    def stop_postgres(self) -> None:
        """Stop PostgreSQL, ending all sessions."""
        self._close_eye()
        self.postgres.stop()

    def _close_eye(self) -> None:
        if self._eye is not None:
            self._eye.terminate()
            self._eye = None


async def _roles(connection: "Connection") -> list[str]:
    return [row["role"] for row in await connection.fetch("SELECT DISTINCT role FROM processes")]
