"""Child processes, kept running until they are told to stop, and gone when we are."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from typer import BadParameter

from heliograph.embedded.children import tail_of
from heliograph.endings import MISCONFIGURED, MISTYPED
from market.errors import ConfigurationError, StackError
from runtime.backoff import delays
from runtime.lifecycle import wait_at_most

_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 15.0
_HEALTHY_AFTER_SECONDS = 60.0
_PATIENCE_SECONDS = 3.0
"""What one program gets to drain before it is killed."""

_BUDGET_SECONDS = 4.5
_LEAST_PATIENCE_SECONDS = 0.2

_LOG_BYTES = 10 << 20


class State(StrEnum):
    """Where a program is in its life."""

    STARTED = "started"
    DIED = "died"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Change(NamedTuple):
    """What happened to a program."""

    program: str
    state: State
    pid: int
    detail: str = ""


Listener = Callable[[Change], None]


class Program(NamedTuple):
    """A process to run. One that cannot be ``restarted`` takes everything down when it dies."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    restarted: bool = True
    descriptors: tuple[int, ...] = ()


class Child:
    """One program's processes, one after the other."""

    def __init__(self, program: Program, parent_fd: int, log: Path, listener: Listener) -> None:
        """Describe the child; nothing is started yet."""
        self.program = program
        self._parent_fd = parent_fd
        self._log = log
        self._listener = listener
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self, started: asyncio.Event) -> None:
        """Keep the program running until it is stopped; ``started`` is set at the first start.

        Raises what ends it for good: its death, when it may not be restarted, or a configuration that
        it refused at its first start, and would refuse again.
        """
        waits = delays(_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS)
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                await self._run_once(started)
                if time.monotonic() - began > _HEALTHY_AFTER_SECONDS:
                    waits = delays(_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS)
                await wait_at_most(self._stopping, next(waits))
        finally:
            started.set()
            self._ended.set()

    async def complete(self) -> None:
        """Run the program once to its end; raises what ``run`` raises if it fails."""
        await self._run_once(asyncio.Event())

    async def stop(self, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """Let the program drain, then see that it is gone. Idempotent."""
        self._stopping.set()
        if self._process is not None and self._process.returncode is None:
            self._tell(State.STOPPING)
            self._signal(signal.SIGTERM)
            await wait_at_most(self._ended, min(_PATIENCE_SECONDS, patience_seconds))
            if not self._ended.is_set():
                self._signal(signal.SIGKILL)
        await self._ended.wait()

    async def _run_once(self, started: asyncio.Event) -> None:
        """Run the program to its end; raises if that is the end for good."""
        first = not started.is_set()
        self._process = await self._spawn()
        self._tell(State.STARTED)
        started.set()
        if self._stopping.is_set():
            self._signal(signal.SIGTERM)
        try:
            status = await self._process.wait()
        except asyncio.CancelledError:
            self._signal(signal.SIGKILL)
            await self._process.wait()
            raise
        if self._stopping.is_set() or (status == 0 and not self.program.restarted):
            self._tell(State.STOPPED)
            return
        if not self.program.restarted or (first and status == MISCONFIGURED):
            raise self._failure(status)
        how = _how(status)
        self._tell(State.DIED, f"{how}: {tail_of(self._log, 1)}" if status > 0 else how)

    def _failure(self, status: int) -> Exception:
        """Return how the program ended; what it refused, it has said itself."""
        said = tail_of(self._log, 1).partition(": ")[2]
        if status == MISCONFIGURED:
            return ConfigurationError(said)
        if status == MISTYPED:
            return BadParameter(said)
        return StackError(f"{self.program.name} {_how(status)}; {self._log} says: {tail_of(self._log)}")

    async def _spawn(self) -> Process:
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.old"))
        with self._log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *self.program.command,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                env={**self.program.environment, "HELIOGRAPH_PARENT_FD": str(self._parent_fd)},
                pass_fds=(self._parent_fd, *self.program.descriptors),
                start_new_session=True,  # Ctrl-C at the terminal is for us, who stop things in order
            )

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _tell(self, state: State, detail: str = "") -> None:
        pid = self._process.pid if self._process is not None else 0
        self._listener(Change(self.program.name, state, pid, detail))


class Supervisor:
    """Starts programs in the order given and stops them in the reverse one."""

    def __init__(self, group: asyncio.TaskGroup, parent_fd: int, logs: Path, listener: Listener) -> None:
        """Describe the supervisor; ``supervising`` makes one."""
        self._group = group
        self._parent_fd = parent_fd
        self._logs = logs
        self._listener = listener
        self._children: list[Child] = []

    async def start(self, program: Program) -> None:
        """Start a program, keep it running, and return when its process exists."""
        child = self._child(program)
        self._children.append(child)
        started = asyncio.Event()
        self._group.create_task(child.run(started), name=program.name)
        await started.wait()

    async def complete(self, program: Program) -> None:
        """Run a program to its end; raises StackError if it fails."""
        await self._child(program._replace(restarted=False)).complete()

    async def stop(self) -> None:
        """Stop every program, the last started first, all within the budget."""
        deadline = time.monotonic() + _BUDGET_SECONDS
        while self._children:
            await self._children.pop().stop(max(_LEAST_PATIENCE_SECONDS, deadline - time.monotonic()))

    def _child(self, program: Program) -> Child:
        return Child(program, self._parent_fd, self._logs / f"{program.name}.log", self._listener)


@asynccontextmanager
async def supervising(logs: Path, listener: Listener) -> AsyncIterator[Supervisor]:
    """Give a supervisor whose programs are stopped at the end, and end by themselves if we are killed.

    ``logs`` is an existing folder; each program writes ``NAME.log`` there.
    """
    reader, writer = os.pipe()
    try:
        async with asyncio.TaskGroup() as group:
            supervisor = Supervisor(group, reader, logs, listener)
            try:
                yield supervisor
            finally:
                await supervisor.stop()
    finally:
        os.close(reader)
        os.close(writer)


def _how(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"
