"""What others deliver to the same audience: a loop that sends, python-socketio with Redis, and NATS."""

import asyncio
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench import frames, hearing, stores
from bench.audience import Plan
from bench.hearing import RATE, Scale, Watch
from bench.peers import environments
from bench.processes import line, module, running, tell
from bench.rounds import Figures
from heliograph.ports import any_free

_HOST: Final = "127.0.0.1"
_SOCKETIO: Final = str(Path(__file__).parent / "peers" / "socketio_stream.py")
_NATS: Final = """
listen: "{host}:{port}"
websocket {{ listen: "{host}:{web}", no_tls: true, compression: false }}
"""
_SUBJECT: Final = "signals.kraken.SOL"
_HELLO: Final = 'CONNECT {"verbose":false,"pedantic":false}\r\nSUB signals.kraken.> 1\r\nPING\r\n'


async def by_loop(name: str, scale: Scale) -> Figures:
    """Let one of our modules send every frame to everybody, by itself."""
    async with running(*module(name, str(1 / RATE), str(scale.frames))) as server:
        plan = Plan(await line(server), scale.subscribers, scale.stalled, hearing.OPEN, hearing.OPENED)
        watch = Watch(server.pid)
        async with hearing.audience(plan) as audience:
            watch.begin()
            tell(server, "go")
            return await watch.figures(audience, scale)


async def by_socketio(scale: Scale) -> Figures:
    """Let python-socketio send what another process emits through Redis."""
    python = str(await environments.interpreter("socketio"))
    with stores.valkey() as url:
        async with (
            running(python, _SOCKETIO, "serve", url, str(any_free(_HOST))) as server,
            running(python, _SOCKETIO, "tell", url) as teller,
        ):
            plan = Plan(await line(server), scale.subscribers, scale.stalled, "40", "40{")
            watch = Watch(server.pid)
            await line(teller)
            async with hearing.audience(plan) as audience:
                watch.begin()
                async for _ in paced(scale.frames):
                    tell(teller, frames.data())
                return await watch.figures(audience, scale)


async def by_nats(scale: Scale) -> Figures:
    """Let a NATS server send what is published to it, over WebSocket."""
    port, web = any_free(_HOST), any_free(_HOST)
    async with _nats(port, web) as server:
        watch = Watch(server)
        plan = Plan(f"ws://{_HOST}:{web}/", scale.subscribers, scale.stalled, _HELLO, "PONG")
        async with hearing.audience(plan) as audience:
            reader, writer = await asyncio.open_connection(_HOST, port)
            await reader.readline()
            writer.write(b'CONNECT {"verbose":false}\r\n')
            watch.begin()
            async for _ in paced(scale.frames):
                data = frames.data().encode()
                writer.write(b"PUB %b %d\r\n%b\r\n" % (_SUBJECT.encode(), len(data), data))
                await writer.drain()
            figures = await watch.figures(audience, scale)
            writer.close()
            return figures


async def paced(count: int) -> AsyncIterator[int]:
    """Yield the numbers of frames when they are due."""
    due = time.monotonic()
    for number in range(1, count + 1):
        yield number
        due += 1 / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))


@asynccontextmanager
async def _nats(port: int, web: int) -> AsyncIterator[int]:
    """Run a NATS server, and give its process's id."""
    with TemporaryDirectory(prefix="heliograph-bench-") as folder:
        settings = Path(folder) / "nats.conf"
        settings.write_text(_NATS.format(host=_HOST, port=port, web=web))
        command = (str(environments.program("nats-server")), "--config", str(settings))
        process = await asyncio.create_subprocess_exec(
            *command, stdout=PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            await _until_ready(process)
            yield process.pid
        finally:
            process.terminate()
            await process.wait()


async def _until_ready(process: asyncio.subprocess.Process) -> None:
    while b"Server is ready" not in (line_ := await process.stdout.readline() if process.stdout else b""):
        if not line_:
            return
