"""Say on the bus what has been committed. Whoever misses it finds it in PostgreSQL."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bus import subjects
from bus.errors import translated
from market.publications import Latest, Publication

_ANSWER_WITHIN_SECONDS = 0.5
_WORD_BYTES = 8


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

    async def renew(self, instrument_ids: Iterable[int]) -> None:
        """Have nothing answered any more that was kept of these instruments."""
        word = token_hex(_WORD_BYTES)
        with translated("renewing what is kept"):
            words = [part for each in (*instrument_ids, subjects.ANY) for part in (str(each), word)]
            await self._redis.hset(subjects.GENERATIONS, items=words)

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
