"""``websockets.broadcast`` in a loop: a peer of the stream. ``python -m bench.broadcasting PACE FRAMES``.

Says where it listens; sends when it is told to, each frame to everybody, and says how many it has sent.
"""

import asyncio
import sys
import time

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from bench.frames import text


async def _main(every_seconds: float, frames: int) -> None:
    connections: set[ServerConnection] = set()

    async def welcome(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send('{"op":"subscribed"}')
        connections.add(connection)
        await connection.wait_closed()

    async with serve(welcome, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"ws://127.0.0.1:{port}/", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        due = time.monotonic()
        for number in range(1, frames + 1):
            broadcast(connections, text(number))
            due += every_seconds
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        print(frames, flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main(float(sys.argv[1]), int(sys.argv[2])))
