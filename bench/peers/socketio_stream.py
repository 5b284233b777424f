"""python-socketio with its Redis manager, served by uvicorn; runs in its own environment.

``serve URL PORT`` says where it listens, and serves; ``tell URL`` emits each line that it reads to everybody.
"""

import asyncio
import json
import sys

import socketio
import uvicorn
import uvloop

_NEVER = 3600


async def _serve(url: str, port: str) -> None:
    server = socketio.AsyncServer(
        async_mode="asgi",
        client_manager=socketio.AsyncRedisManager(url),
        transports=["websocket"],
        ping_interval=_NEVER,
    )
    settings = uvicorn.Config(
        socketio.ASGIApp(server),
        port=int(port),
        loop="none",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_config=None,
        lifespan="off",
    )
    serving = uvicorn.Server(settings)
    task = asyncio.create_task(serving.serve())
    while not serving.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.02)
    print(f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket", flush=True)
    await task


async def _tell(url: str) -> None:
    manager = socketio.AsyncRedisManager(url, write_only=True)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await manager.emit("signal", json.loads(line))


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    uvloop.run(_serve(*arguments) if what == "serve" else _tell(*arguments))
