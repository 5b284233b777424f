"""A TCP port at which HTTP is answered, and sockets are handed on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from sim.wire.connections import Connection
from sim.wire.http import HEAD_BYTES, Answer, Request, read_request


class House(NamedTuple):
    """Who is behind the door.

    ``answer`` answers a request, or returns None where a socket is; then ``welcome`` talks with it.
    """

    answer: Callable[[Request], Awaitable[Answer | None]]
    welcome: Callable[[Connection, Request], Awaitable[None]]


class Door:
    """Takes connections in, and knows who is inside."""

    def __init__(self, house: House) -> None:
        """Take who is behind the door."""
        self._house = house
        self._inside: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen and give the port; at the end everybody is put out."""
        server = await asyncio.start_server(self._enter, host, port, limit=HEAD_BYTES)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in self._inside:
                task.cancel()
            await asyncio.gather(*self._inside, return_exceptions=True)

    def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._attend(reader, writer))
        self._inside.add(task)
        task.add_done_callback(self._inside.discard)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):  # whoever went away wants no answer
                await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            answer = await self._house.answer(request)
            if answer is None:
                await self._host(Connection(reader, writer), request)
                return
            writer.write(answer.encoded())
            await writer.drain()

    async def _host(self, connection: Connection, request: Request) -> None:
        try:
            if connection.accept(request):
                await self._house.welcome(connection, request)
        finally:
            connection.over()
