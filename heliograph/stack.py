"""Everything on one machine: stores, schema, roles, in order up and in order down."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db import logins
from db.connections import connected
from db.feeds import clear
from db.feeds import feeds as wanted_feeds
from heliograph import configuration, feeds
from heliograph.beats import Roll
from heliograph.console import Console
from heliograph.data_folders import Purpose, claim, page_told, usable
from heliograph.embedded.stores import Stores
from heliograph.locks import held
from heliograph.ports import demand_free
from heliograph.roles import (
    API,
    INGEST,
    INGEST_HISTORY,
    MIGRATE,
    SCHEDULER,
    WORKER_BACKFILL,
    WORKER_LIVE,
    WORKER_SCORING,
    Role,
)
from heliograph.supervisor import Program, Supervisor, supervising
from runtime import logs
from runtime.clock import now
from runtime.lifecycle import Main, run_until_stopped
from runtime.settings import RuntimeSettings

_LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run where. A URL that is None means the embedded store."""

    data_dir: Path
    purpose: Purpose
    host: str
    port: int
    live_workers: int = 1
    database_url: str | None = None
    redis_url: str | None = None
    recorded: bool = False

    @property
    def page(self) -> str:
        """Return the address of the page."""
        return f"http://{self.host}:{self.port}/"

    @property
    def note(self) -> str:
        """Return what is said of the ticks beside that address."""
        if self.purpose is Purpose.LIVE:
            return f"data in {self.data_dir.absolute()}"
        return "RECORDED" if self.recorded else "SIMULATED"


class Stack:
    """A stack that runs: its stores are up, its schema is the newest."""

    def __init__(self, plan: Plan, supervisor: Supervisor, environment: dict[str, str]) -> None:
        """Describe a stack; ``running`` makes one."""
        self.plan = plan
        self.started_at = now()
        self._supervisor = supervisor
        self._environment = environment

    @property
    def database_url(self) -> str:
        """Return where PostgreSQL is."""
        return self._environment["HELIOGRAPH_DATABASE_URL"]

    async def migrate(self) -> None:
        """Bring the schema to this version, and make the roles that programs log in as; raises StackError."""
        await self._supervisor.complete(MIGRATE.program(self._environment))
        if self.plan.database_url is None:
            async with connected(self.database_url, "heliograph stack") as connection:
                await logins.make(connection)

    async def start_roles(self) -> None:
        """Start everything but live ingest."""
        for role in (API, SCHEDULER, WORKER_BACKFILL, WORKER_SCORING, INGEST_HISTORY):
            await self._supervisor.start(role.program(self._environment_of(role)))
        for number in range(1, self.plan.live_workers + 1):
            await self._supervisor.start(WORKER_LIVE.program(self._environment_of(WORKER_LIVE), number))

    async def start_ingest(self, wanted: Sequence[feeds.Feed], processes: int = 1) -> None:
        """Start to listen to venues, with so many processes that share them.

        A simulated venue of an earlier run is gone, and so are its feeds.
        """
        if self.plan.purpose is Purpose.SIMULATED:
            async with connected(self.database_url, "heliograph stack") as connection:
                await clear(connection)
        environment = {**self._environment_of(INGEST), **feeds.environment(wanted)}
        for number in range(1, processes + 1):
            await self._supervisor.start(INGEST.program(environment, number))

    def _environment_of(self, role: Role) -> dict[str, str]:
        """Return what a role is started with; in a database of somebody else it logs in as we do."""
        if role.login is None or self.plan.database_url is not None:
            return self._environment
        url = logins.address_of(self.database_url, role.login)
        return {**self._environment, "HELIOGRAPH_DATABASE_URL": url}

    async def listens(self) -> bool:
        """Tell whether there is anything to listen to."""
        async with connected(self.database_url, "heliograph stack") as connection:
            return bool(await wanted_feeds(connection))

    async def start_venue(self, name: str, command: Sequence[str], ready_fd: int) -> None:
        """Start a simulated venue. Its tape cannot begin again, so its death ends everything."""
        program = Program(name, tuple(command), self._environment, restarted=False, descriptors=(ready_fd,))
        await self._supervisor.start(program)


@asynccontextmanager
async def running(plan: Plan, console: Console) -> AsyncIterator[Stack]:
    """Run the stores and give a stack; at the end everything is stopped, the last started first."""
    async with AsyncExitStack() as house:
        with usable(plan.data_dir):
            folder = claim(plan.data_dir, plan.purpose)
            house.enter_context(held(folder / "lock"))
            house.enter_context(page_told(folder, plan.page))
        demand_free(plan.host, plan.port)
        house.callback(console.close)
        console.headline(plan.page, plan.note)
        roll = Roll(console)
        environment = await house.enter_async_context(_stores(plan, folder, console))
        house.push_async_callback(roll.total, environment["HELIOGRAPH_DATABASE_URL"])
        supervisor = await house.enter_async_context(supervising(folder / "logs", roll.change))
        stack = Stack(plan, supervisor, environment)
        await stack.migrate()
        await house.enter_async_context(_beside(roll.call(stack.database_url)))
        yield stack


@asynccontextmanager
async def _stores(plan: Plan, folder: Path, console: Console) -> AsyncIterator[dict[str, str]]:
    """Give the environment that tells children where the stores are."""
    if plan.database_url and plan.redis_url:
        yield _environment(plan, plan.database_url, plan.redis_url)
        return
    stores = Stores(folder)
    try:
        await asyncio.to_thread(stores.start)
        console.say("stores work")
        async with _beside(_keep(stores, console)):
            database_url, redis_url = (
                plan.database_url or stores.database_url,
                plan.redis_url or stores.redis_url,
            )
            yield _environment(plan, database_url, redis_url)
    finally:
        await asyncio.to_thread(stores.stop)


def _environment(plan: Plan, database_url: str, redis_url: str) -> dict[str, str]:
    return {
        **os.environ,
        "HELIOGRAPH_DATABASE_URL": database_url,
        **({} if plan.database_url else {"HELIOGRAPH_DATABASE_READ_URL": ""}),
        "HELIOGRAPH_REDIS_URL": redis_url,
        "HELIOGRAPH_API_HOST": plan.host,
        "HELIOGRAPH_API_PORT": str(plan.port),
        "HELIOGRAPH_SIMULATED": str(plan.purpose is Purpose.SIMULATED).lower(),
        "HELIOGRAPH_RECORDED": str(plan.recorded).lower(),
        "OMP_NUM_THREADS": "1",
    }


async def _keep(stores: Stores, console: Console) -> None:
    """Start the stores again, at their old addresses, if their process dies."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        if stores.process is not None and stores.process.poll() is not None:
            console.say("stores died; they are started again")
            await asyncio.to_thread(stores.start)


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` for as long as the block runs; its failure ends the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()


def run_stack(main: Main) -> None:
    """Run a program that runs a stack: the console speaks, so of its events only warnings are shown.

    Raises BadSettingError for what would make no sense to a child, before there is any.
    """
    configuration.demand_sense()
    logs.configure(RuntimeSettings().model_copy(update={"log_level": "warning"}))
    run_until_stopped(main)
