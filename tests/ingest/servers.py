"""A small venue on a loopback port that answers as it is told to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Respond = Callable[[Request], Awaitable[Response]]


class _Server(uvicorn.Server):
    """Leaves signals to the tests, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@dataclass(frozen=True)
class Server:
    """A server that listens, and the requests that it got."""

    url: str
    asked: list[Request]


@asynccontextmanager
async def serving(respond: Respond) -> AsyncIterator[Server]:
    asked: list[Request] = []

    async def answer(request: Request) -> Response:
        asked.append(request)
        return await respond(request)

    app = Starlette(routes=[Route("/{path:path}", answer)])
    server = _Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none"))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        await server.listening.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Server(f"http://127.0.0.1:{port}", asked)
        finally:
            server.should_exit = True


@asynccontextmanager
async def scripted(*answers: Response) -> AsyncIterator[Server]:
    """Give these answers in turn, the last one for ever."""
    left = list(answers)

    async def respond(_request: Request) -> Response:
        return left.pop(0) if len(left) > 1 else left[0]

    async with serving(respond) as server:
        yield server
