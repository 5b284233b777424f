"""A way to PostgreSQL that can be lost as a network loses it: one end knows, the other does not."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

_NAME = ".s.PGSQL.5432"
_PIECE = 2**16


class Wire:
    """Every session that goes through; those that were lost stay open at PostgreSQL until the end."""

    def __init__(self, there: str) -> None:
        self._there = there
        self._near: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._kept = AsyncExitStack()

    def lose(self) -> None:
        """Lose all sessions, of which PostgreSQL is told nothing."""
        near, self._near = self._near, []
        for writer in near:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one session."""
        there, far = await asyncio.open_unix_connection(self._there)
        self._kept.callback(far.close)
        self._near.append(writer)
        back = asyncio.create_task(_pump(there, writer))
        self._tasks.add(back)
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                far.write(piece)
        if writer in self._near:
            far.close()

    async def close(self) -> None:
        """Let PostgreSQL know."""
        await self._kept.aclose()
        for task in self._tasks:
            task.cancel()


async def _pump(there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await there.read(_PIECE):
            writer.write(piece)
        writer.close()


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """Give a wire, and the address of the database at ``url`` by way of it."""
    (folder,) = parse_qs(urlsplit(url).query)["host"]
    wire = Wire(f"{folder}/{_NAME}")
    with tempfile.TemporaryDirectory() as place:
        server = await asyncio.start_unix_server(wire.carry, Path(place, _NAME))
        try:
            yield wire, f"{url.partition('?')[0]}?host={quote(place)}"
        finally:
            server.close()
            await wire.close()
