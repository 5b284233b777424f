"""Answers kept in Redis for some seconds. Redis may be slow, full, or gone: then there is no cache."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import NamedTuple

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from api.breaker import Breaker
from api.settings import ApiSettings
from runtime.metrics import Metrics

logger = structlog.get_logger(__name__)

_PREFIX = "heliograph:answers:1:"

Produce = Callable[[], Awaitable[bytes]]


class Outcome(StrEnum):
    """Where an answer came from; told in the header X-Cache."""

    HIT = "hit"
    MISS = "miss"
    BYPASS = "bypass"


class Answer(NamedTuple):
    """The body of an answer and where it came from."""

    body: bytes
    outcome: Outcome


class Cache:
    """Reads through: equal questions at one time are one read of PostgreSQL in this process."""

    def __init__(self, redis: "Redis", seconds: int, breaker: Breaker, metrics: Metrics) -> None:
        """Keep answers for ``seconds``; 0 keeps none."""
        self._redis = redis
        self._seconds = seconds
        self._breaker = breaker
        self._reads = metrics.counter("heliograph_cache_reads_total")
        self._flights: dict[str, asyncio.Task[Answer]] = {}

    async def read(
        self, key: str, produce: Produce, *, fresh: bool = False, at_most_seconds: int | None = None
    ) -> Answer:
        """Return the answer kept under ``key``, or produce it; ``fresh`` asks for no kept one.

        It is kept for ``at_most_seconds`` if these are fewer than the cache's own.
        """
        if fresh:
            answer = Answer(await produce(), Outcome.BYPASS)
        else:
            seconds = self._seconds if at_most_seconds is None else min(at_most_seconds, self._seconds)
            answer = await self._join(key, produce, seconds)
        self._reads.labels(answer.outcome).inc()
        return answer

    async def ping(self) -> None:
        """Ask Redis whether it is there; raises RedisError or OSError."""
        await self._redis.ping()

    async def _join(self, key: str, produce: Produce, seconds: int) -> Answer:
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fly(key, produce, seconds))
            self._flights[key] = flight
            flight.add_done_callback(lambda landed: self._landed(key, landed))
        return await asyncio.shield(flight)  # who asked first may go; the others still wait

    def _landed(self, key: str, flight: "asyncio.Task[Answer]") -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # raised to whoever waits; nobody may

    async def _fly(self, key: str, produce: Produce, seconds: int) -> Answer:
        name = _PREFIX + key
        kept = await self._get(name)
        if kept is not None:
            return Answer(kept, Outcome.HIT)
        body = await produce()
        return Answer(body, Outcome.MISS if await self._keep(name, body, seconds) else Outcome.BYPASS)

    async def _get(self, name: str) -> bytes | None:
        if not self._seconds or not self._breaker.allows():
            return None
        try:
            kept = await self._redis.get(name)
        except (RedisError, OSError) as error:
            self._failed(error)
            return None
        self._breaker.succeeded()
        return kept if isinstance(kept, bytes) else None

    async def _keep(self, name: str, body: bytes, seconds: int) -> bool:
        if not seconds or not self._breaker.allows():
            return False
        try:
            await self._redis.set(name, body, ex=seconds)
        except (RedisError, OSError) as error:
            self._failed(error)
            return False
        return True

    def _failed(self, error: Exception) -> None:
        self._breaker.failed()
        logger.warning("cache.failed", error=f"{type(error).__name__}: {error}")


@asynccontextmanager
async def opened(url: str, settings: ApiSettings, metrics: Metrics) -> AsyncIterator[Cache]:
    """Open the cache; Redis need not be there."""
    redis = Redis.from_url(
        url,
        socket_timeout=settings.cache_timeout_seconds,
        socket_connect_timeout=settings.cache_timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        max_connections=64,
    )
    breaker = Breaker(settings.cache_rest_seconds, asyncio.get_running_loop().time)
    try:
        yield Cache(redis, settings.cache_seconds, breaker, metrics)
    finally:
        await redis.aclose()
