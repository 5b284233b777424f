"""Nothing but uvicorn and a loop that sends: the limit of the stream. ``python -m bench.bare PACE FRAMES``.

Says where it listens; sends when it is told to, each frame to everybody, and says how many it has sent.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
import uvloop

from api.serving import bind
from api.settings import ApiSettings
from bench.frames import text

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


class Bare:
    """An ASGI application that accepts everybody."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self.sends: list[Send] = []

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        """Welcome a subscriber, and wait until it goes."""
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.send", "text": '{"op":"subscribed"}'})
        self.sends.append(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def tell(self, every_seconds: float, frames: int) -> None:
        """Send so many frames to everybody, one every so often."""
        due = time.monotonic()
        for number in range(1, frames + 1):
            frame = text(number)
            for send in self.sends:
                await send({"type": "websocket.send", "text": frame})
            due += every_seconds
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _main(every_seconds: float, frames: int) -> None:
    app = Bare()
    with bind(ApiSettings(port=0)) as listener:
        config = uvicorn.Config(
            app,
            loop="none",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            log_config=None,
            lifespan="off",
        )
        serving = asyncio.create_task(uvicorn.Server(config).serve(sockets=[listener]))
        print(f"ws://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, sys.stdin.readline)
        await app.tell(every_seconds, frames)
        print(frames, flush=True)
        await serving


if __name__ == "__main__":
    uvloop.run(_main(float(sys.argv[1]), int(sys.argv[2])))
