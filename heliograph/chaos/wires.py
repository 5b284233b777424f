"""A wire that can be cut: what goes through it reaches the other side until then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PIECE_BYTES = 1 << 16


class Wire:
    """Takes connections on a free port of this machine and carries them to another."""

    def __init__(self, host: str, port: int) -> None:
        """Describe a wire to ``host`` and ``port``; ``wired`` lays it."""
        self.port = 0
        self.taken = 0
        self._host = host
        self._far_port = port
        self._ends: set[asyncio.StreamWriter] = set()
        self._closed = False

    def cut(self) -> int:
        """End every connection at once, without a word; return how many there were."""
        there = len(self._ends) // 2
        for end in self._ends:
            end.transport.abort()
        return there

    def close(self) -> None:
        """Cut, and carry nothing any more."""
        self._closed = True
        self.cut()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until one of its ends is gone."""
        self.taken += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._far_port)
        except OSError:
            await _end(writer)
            return
        ends = {writer, far_writer}
        self._ends |= ends
        if self._closed:
            self.cut()
        async with asyncio.TaskGroup() as group:
            group.create_task(_pour(reader, far_writer))
            group.create_task(_pour(far_reader, writer))
        self._ends -= ends
        for end in ends:
            await _end(end)


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def wired(host: str, port: int) -> AsyncIterator[Wire]:
    """Give a wire to ``host`` and ``port`` while the block runs."""
    wire = Wire(host, port)
    async with asyncio.TaskGroup() as group:

        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            group.create_task(wire.carry(reader, writer))

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        wire.port = server.sockets[0].getsockname()[1]
        try:
            yield wire
        finally:
            server.close()
            wire.close()
