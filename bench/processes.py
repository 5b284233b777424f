"""Parts of a benchmark that are processes of their own, spoken to line by line."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache

import httpx
import psutil

from market.errors import HeliographError

_ANSWERS_WITHIN_SECONDS = 60.0


@asynccontextmanager
async def running(*command: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[Process]:
    """Run a command until the end of the block, with these variables beside our own."""
    quiet = {**os.environ, "HELIOGRAPH_LOG_LEVEL": "error", **(environment or {})}
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=quiet)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def module(*command: str) -> tuple[str, ...]:
    """Return the command that runs one of our modules."""
    return (sys.executable, "-m", *command)


def tell(process: Process, line: str) -> None:
    """Write a line to its standard input."""
    if process.stdin:
        process.stdin.write(f"{line}\n".encode())


async def line(process: Process) -> str:
    """Return the next line that it writes; raises HeliographError when there is none."""
    written = await process.stdout.readline() if process.stdout else b""
    if not written:
        message = f"a part of the benchmark ended with status {await process.wait()}; what it wrote is above"
        raise HeliographError(message)
    return written.decode().strip()


def held_to_one_core(pid: int) -> psutil.Process:
    """Keep a process to the first core where there are others for the rest, and return it."""
    process = psutil.Process(pid)
    first, *others = _cores()
    if others:
        process.cpu_affinity([first])
    return process


@contextmanager
def beside_it() -> Iterator[None]:
    """Keep this process, and all that it started or starts, off the core of the one that is held to it."""
    everybody = [psutil.Process(), *psutil.Process().children(recursive=True)]
    first, *others = _cores()
    try:
        _keep_to(everybody, others or [first])
        yield
    finally:
        _keep_to(everybody, [first, *others])


@cache
def _cores() -> list[int]:
    """Return what this process began with."""
    return sorted(os.sched_getaffinity(0))


def _keep_to(processes: Iterable[psutil.Process], cores: Sequence[int]) -> None:
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.cpu_affinity(list(cores))


async def answering(address: str) -> None:
    """Wait until somebody answers there."""
    async with asyncio.timeout(_ANSWERS_WITHIN_SECONDS), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(address)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
