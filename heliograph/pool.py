"""``heliograph worker live --processes``: live workers, each a process of its own, as many as are needed."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from db.claims import oldest_batch_seconds
from db.connections import connected
from db.settings import DatabaseSettings
from heliograph.endings import MISCONFIGURED
from heliograph.roles import WORKER_LIVE
from heliograph.scaling import Scaling
from market.errors import ConfigurationError, StoreError
from runtime.lifecycle import wait_at_most

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS: Final = 1.0


class Pool:
    """Starts workers and stops them, none in mid-claim: one that is told to stop ends its claim first."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        url: str,
        scaling: Scaling,
        look_every_seconds: float = _LOOK_EVERY_SECONDS,
    ) -> None:
        self._command = command
        self._environment = environment
        self._url = url
        self._scaling = scaling
        self._look_every_seconds = look_every_seconds
        self._running: list[Process] = []
        self._leaving: list[Process] = []

    @property
    def running(self) -> int:
        """Return how many work, without those that were told to stop."""
        return len(self._running)

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep as many as are needed until ``stopping`` is set, then let all end, as they do if we die."""
        reader, writer = os.pipe()
        try:
            while not stopping.is_set():
                await self._watch(stopping, reader)
        finally:
            await self._end()
            os.close(reader)
            os.close(writer)

    async def _watch(self, stopping: asyncio.Event, parent_fd: int) -> None:
        """Look again and again, until PostgreSQL is lost; workers live on without it."""
        await self._look(parent_fd, None)
        try:
            async with connected(self._url, "heliograph worker-live pool") as connection:
                while not stopping.is_set():
                    await self._look(parent_fd, connection)
                    await wait_at_most(stopping, self._look_every_seconds)
        except StoreError as error:
            logger.warning("pool.interrupted", error=str(error))
            await wait_at_most(stopping, self._look_every_seconds)

    async def _look(self, parent_fd: int, connection: "Connection | None") -> None:
        self._bury()
        age = None if connection is None else await oldest_batch_seconds(connection)
        wanted = self._scaling.wanted(self.running, age, asyncio.get_running_loop().time())
        while self.running < wanted:
            await self._start(parent_fd)
        while self.running > wanted:
            self._retire(self._running.pop())

    async def _start(self, parent_fd: int) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env={**self._environment, "HELIOGRAPH_PARENT_FD": str(parent_fd)},
            pass_fds=(parent_fd,),
            start_new_session=True,  # Ctrl-C at the terminal is for us, who let claims end
        )
        self._running.append(process)
        logger.info("pool.worker_started", worker=process.pid, workers=self.running)

    def _retire(self, process: Process) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        self._leaving.append(process)
        logger.info("pool.worker_stopping", worker=process.pid, workers=self.running)

    def _bury(self) -> None:
        """Forget those that ended; raises ConfigurationError when one refused its settings."""
        ended = [process for process in self._running if process.returncode is not None]
        for process in ended:
            logger.warning("pool.worker_died", worker=process.pid, status=process.returncode)
        self._running = [process for process in self._running if process.returncode is None]
        self._leaving = [process for process in self._leaving if process.returncode is None]
        if any(process.returncode == MISCONFIGURED for process in ended):
            message = "a live worker refused its settings; what it wrote is above"
            raise ConfigurationError(message)

    async def _end(self) -> None:
        """Tell all to stop and wait for them, however long their claims take."""
        while self._running:
            self._retire(self._running.pop())
        await asyncio.gather(*[process.wait() for process in self._leaving])


async def run(least: int, most: int, stopping: asyncio.Event) -> None:
    """Be between ``least`` and ``most`` live workers until ``stopping`` is set."""
    program = WORKER_LIVE.program(os.environ)
    url = DatabaseSettings().url.get_secret_value()
    await Pool(program.command, program.environment, url, Scaling(least, most)).run(stopping)
