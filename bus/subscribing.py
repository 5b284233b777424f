"""Listen to the bus for as long as the process lives, through every loss of Redis."""

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

import structlog
from redis.asyncio import Redis

from bus.errors import translated
from market.errors import BusUnavailableError

logger = structlog.get_logger(__name__)

_TRY_AGAIN_AFTER_SECONDS = 0.25


class Heard(NamedTuple):
    """A message; or, when ``subject`` is empty, news of the line: ``connected`` again, or lost.

    After a loss anything may have been missed: compare with PostgreSQL.
    """

    subject: str
    data: bytes
    connected: bool


class Subscriber:
    """One connection to the bus."""

    def __init__(self, url: str, subjects: list[str]) -> None:
        self._url = url
        self._subjects = subjects

    async def listen(self) -> AsyncGenerator[Heard, None]:
        """Yield what is heard, for ever, reconnecting in between."""
        while True:
            try:
                async for heard in self._listen_once():
                    yield heard
            except BusUnavailableError as error:
                logger.warning("bus.lost", error=str(error))
                yield Heard("", b"", connected=False)
                await asyncio.sleep(_TRY_AGAIN_AFTER_SECONDS)

    async def _listen_once(self) -> AsyncGenerator[Heard, None]:
        redis = Redis.from_url(
            self._url, socket_timeout=None, socket_connect_timeout=1.0, health_check_interval=15
        )
        try:
            async with redis.pubsub(ignore_subscribe_messages=False) as channel:
                with translated("listening to the bus"):
                    await channel.subscribe(*self._subjects)
                    async for message in channel.listen():
                        if message["type"] == "message":
                            yield Heard(message["channel"].decode(), message["data"], connected=True)
                        elif message["type"] == "subscribe" and message["data"] == len(self._subjects):
                            yield Heard("", b"", connected=True)
        finally:
            await redis.aclose()
