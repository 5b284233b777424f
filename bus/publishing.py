"""Say on the bus what has been committed. Whoever misses it finds it in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bus import subjects
from bus.errors import translated
from market.publications import Latest, Publication

_ANSWER_WITHIN_SECONDS = 0.5


class Bus:
    """Publishes; every method raises BusUnavailableError, after which the caller goes on."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def wake(self, shards: Sequence[int]) -> None:
        """Tell live workers which shards have new batches."""
        await self._say(subjects.WAKE, subjects.encode(list(shards)))

    async def publish(self, publications: Sequence[Publication]) -> None:
        """Hand committed publications to the hubs."""
        await self._say(subjects.PUBLICATIONS, subjects.encode(publications))

    async def latest(self, values: Sequence[Latest]) -> None:
        """Hand the newest committed quotes and trades, or bars that run, to the hubs."""
        await self._say(subjects.LATEST, subjects.encode(values))

    async def _say(self, subject: str, message: bytes) -> None:
        with translated(f"publishing on {subject}"):
            await self._redis.publish(subject, message)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Bus]:
    """Open a bus; nothing is sent before the first message, so Redis need not be there."""
    redis = Redis.from_url(
        url,
        socket_timeout=_ANSWER_WITHIN_SECONDS,
        socket_connect_timeout=_ANSWER_WITHIN_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
    try:
        yield Bus(redis)
    finally:
        await redis.aclose()
