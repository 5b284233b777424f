"""What each part of a running stack takes: processor time and memory, by the programs that it consists of."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import psutil

_LOOK_EVERY_SECONDS: Final = 0.25
_MB: Final = 1e6
_PARTS: Final = {
    "-m sim": "venue",
    "ingest live": "ingest live",
    "ingest history": "ingest history",
    "worker live": "worker live",
    "worker backfill": "worker backfill",
    "worker scoring": "worker scoring",
    "heliograph scheduler": "scheduler",
    "heliograph api": "api",
    "postgres": "PostgreSQL",
    "valkey": "Valkey",
}
"""Which part a process is, by what its command line has."""


class Usage:
    """Processor seconds of each part since the beginning, and the most memory that it held at once."""

    def __init__(self) -> None:
        """Begin to look."""
        self._spent: dict[int, tuple[str, float, float]] = {}
        self.peak_mb: dict[str, float] = {}

    def look(self) -> None:
        """Look once at every process that this one started, and at those that they started."""
        held: dict[str, float] = {}
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                part = part_of(process.cmdline())
                if part is None:
                    continue
                times = process.cpu_times()
                spent = float(times.user + times.system)
                _, first, _ = self._spent.get(process.pid, (part, spent, spent))
                self._spent[process.pid] = part, first, spent
                held[part] = held.get(part, 0.0) + _own_memory(process, part) / _MB
        for part, megabytes in held.items():
            self.peak_mb[part] = max(self.peak_mb.get(part, 0.0), megabytes)

    @property
    def processor_seconds(self) -> dict[str, float]:
        """Return how long each part was computing."""
        found: dict[str, float] = {}
        for part, first, last in self._spent.values():
            found[part] = found.get(part, 0.0) + last - first
        return found


def part_of(command: Sequence[str]) -> str | None:
    """Return which part a command line is of."""
    told = " ".join(command)
    return next((part for words, part in _PARTS.items() if words in told), None)


@asynccontextmanager
async def watched() -> AsyncIterator[Usage]:
    """Look again and again until the end of the block."""
    usage = Usage()

    async def go_on() -> None:
        while True:
            await asyncio.to_thread(usage.look)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    looking = asyncio.create_task(go_on())
    try:
        yield usage
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


def _own_memory(process: psutil.Process, part: str) -> float:
    """Return resident bytes; of PostgreSQL's processes, which share their buffers, those of their own."""
    memory = process.memory_info()
    return float(memory.rss - memory.shared if part == "PostgreSQL" else memory.rss)
