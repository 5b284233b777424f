"""The life of a process: it runs until it is told to stop, and then ends in order.

Told by SIGTERM or SIGINT, or by the end of the pipe to a parent that died. The first telling
sets the event that every service watches; a second signal cancels what still runs.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

import structlog
import uvloop

logger = structlog.get_logger(__name__)

_PIPE_BYTES = 64
_ORPHAN_DRAIN_SECONDS = 4.0


class Service(Protocol):
    """Something that lives as long as its process: runs until ``stopping`` is set, drains, returns."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Run; a ``stopping`` that is set already ends it as soon as it is in order."""


Main = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""A program: composes its services and runs them until the event is set."""


def run_until_stopped(main: Main, parent_fd: int | None = None) -> None:
    """Run ``main`` in an event loop of its own until it returns.

    ``parent_fd`` is an inherited pipe; its end counts as SIGTERM.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_supervised(main, parent_fd))


async def run_services(services: list[Service], stopping: asyncio.Event) -> None:
    """Run services side by side; when one fails the others are cancelled and the failure is raised."""
    async with asyncio.TaskGroup() as group:
        for service in services:
            group.create_task(service.run(stopping), name=type(service).__name__)


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    """Return when ``event`` is set or the time is up, whichever comes first."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _supervised(main: Main, parent_fd: int | None) -> None:
    stopping = asyncio.Event()
    task = asyncio.create_task(main(stopping), name="main")
    _listen(stopping, task, parent_fd)
    try:
        await task
    except asyncio.CancelledError:
        logger.warning("process.cancelled")


def _listen(stopping: asyncio.Event, task: asyncio.Task[None], parent_fd: int | None) -> None:
    loop = asyncio.get_running_loop()

    def tell(reason: str) -> None:
        if stopping.is_set():
            task.cancel()
        else:
            logger.info("process.stopping", reason=reason)
            stopping.set()

    def read_parent(fd: int) -> None:
        if not os.read(fd, _PIPE_BYTES):
            loop.remove_reader(fd)
            tell("parent died")
            # Nobody is left who would kill us: what does not drain is cancelled, then abandoned.
            loop.call_later(_ORPHAN_DRAIN_SECONDS, task.cancel)
            loop.call_later(2 * _ORPHAN_DRAIN_SECONDS, os._exit, 1)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tell, number.name)
    if parent_fd is not None:
        os.set_blocking(parent_fd, False)
        loop.add_reader(parent_fd, read_parent, parent_fd)
