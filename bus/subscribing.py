"""Listen to the bus for as long as the process lives, through every loss of Redis."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from bus.errors import translated
from market.errors import BusUnavailableError

logger = structlog.get_logger(__name__)

_TRY_AGAIN_AFTER_SECONDS = 0.25
_SILENCE_SECONDS = 2.0
"""After so long without a message Redis is asked whether it lives, and has as long to answer."""


class Heard(NamedTuple):
    """A message; or, when ``subject`` is empty, news of the line: ``connected`` again, or lost.

    After a loss anything may have been missed: compare with PostgreSQL.
    """

    subject: str
    data: bytes
    connected: bool


class Subscriber:
    """One connection to the bus."""

    def __init__(self, url: str, subjects: list[str], *, silence_seconds: float = _SILENCE_SECONDS) -> None:
        self._url = url
        self._silence_seconds = silence_seconds
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
        redis = Redis.from_url(self._url, socket_timeout=None, socket_connect_timeout=1.0)
        try:
            async with redis.pubsub() as channel:
                with translated("listening to the bus"):
                    await channel.subscribe(*self._subjects)
                    async for message in self._messages(channel):
                        if message["type"] == "message":
                            yield Heard(message["channel"].decode(), message["data"], connected=True)
                        elif message["type"] == "subscribe" and message["data"] == len(self._subjects):
                            yield Heard("", b"", connected=True)
        finally:
            await redis.aclose()

    async def _messages(self, channel: PubSub) -> AsyncGenerator[dict[str, Any], None]:
        """Yield what comes; raises TimeoutError when Redis does not even answer a ping."""
        asked = False
        while True:
            heard = await channel.get_message(timeout=self._silence_seconds)
            if heard is not None:
                asked = False
                yield heard
            elif asked:
                message = f"no answer for {self._silence_seconds:g} s"
                raise TimeoutError(message)
            else:
                await channel.ping()
                asked = True
