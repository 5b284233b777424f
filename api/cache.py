"""Answers kept in Redis: for seconds while they move, long once they are settled, until a repair.

Redis may be slow, full, or gone: then there is no cache.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from api.breaker import Breaker
from api.settings import ApiSettings
from bus import subjects
from runtime.clock import now
from runtime.metrics import Metrics

logger = structlog.get_logger(__name__)

_PREFIX: Final = "heliograph:answers:2:"
_TAG_BYTES: Final = 16
_SECOND: Final = 1_000_000


class Product(NamedTuple):
    """A body as it was made, and for how many seconds it may be kept."""

    body: bytes
    seconds: int


Produce = Callable[[], Awaitable[Product]]


class Outcome(StrEnum):
    """Where an answer came from; told in the header X-Cache."""

    HIT = "hit"
    MISS = "miss"
    BYPASS = "bypass"


class Answer(NamedTuple):
    """The body of an answer, its tag, where it came from, and for how long who asked may keep it."""

    body: bytes
    tag: str
    outcome: Outcome
    max_age: int


class _Kept(msgspec.Struct, array_like=True):
    """An answer in Redis; it counts as long as ``word`` is the newest of its instrument."""

    word: bytes | None
    kept_at: int
    seconds: int
    tag: str
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


class _Found(NamedTuple):
    """What Redis has: the newest word, and perhaps an answer."""

    word: bytes | None
    kept: _Kept | None


class Cache:
    """Reads through: equal questions at one time are one read of PostgreSQL in this process."""

    def __init__(self, redis: "Redis", seconds: int, breaker: Breaker, metrics: Metrics) -> None:
        """Keep answers that move for ``seconds`` at most; 0 keeps none at all."""
        self._redis = redis
        self._seconds = seconds
        self._breaker = breaker
        self._reads = metrics.counter("heliograph_cache_reads_total")
        self._flights: dict[str, asyncio.Task[Answer]] = {}

    async def read(
        self, key: str, produce: Produce, *, fresh: bool = False, about: str = subjects.ANY
    ) -> Answer:
        """Return the answer kept under ``key``, or produce it; ``fresh`` asks for no kept one.

        It is kept until what is ``about``, an instrument's id or any, is computed again.
        """
        if fresh:
            answer = self._answer(await produce(), Outcome.BYPASS)
        else:
            answer = await self._join(key, produce, about)
        self._reads.labels(answer.outcome).inc()
        return answer

    async def ping(self) -> None:
        """Ask Redis whether it is there; raises RedisError or OSError."""
        await self._redis.ping()

    async def _join(self, key: str, produce: Produce, about: str) -> Answer:
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fly(key, produce, about))
            self._flights[key] = flight
            flight.add_done_callback(lambda landed: self._landed(key, landed))
        return await asyncio.shield(flight)  # who asked first may go; the others still wait

    def _landed(self, key: str, flight: "asyncio.Task[Answer]") -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # raised to whoever waits; nobody may

    async def _fly(self, key: str, produce: Produce, about: str) -> Answer:
        name = _PREFIX + key
        found = await self._get(name, about)
        if found and found.kept and found.kept.word == found.word:
            return self._hit(found.kept)
        answer = self._answer(product := await produce(), Outcome.MISS)
        if found and product.seconds > 0:
            kept = _Kept(found.word, now(), product.seconds, answer.tag, product.body)
            if await self._keep(name, kept):
                return answer
        return answer._replace(outcome=Outcome.BYPASS)

    def _hit(self, kept: _Kept) -> Answer:
        if kept.seconds > self._seconds:  # settled: who asks later is told quickly that nothing changed
            return Answer(kept.body, kept.tag, Outcome.HIT, self._seconds)
        age = (now() - kept.kept_at) // _SECOND
        return Answer(kept.body, kept.tag, Outcome.HIT, max(kept.seconds - max(age, 0), 0))

    def _answer(self, product: Product, outcome: Outcome) -> Answer:
        tag = blake2b(product.body, digest_size=_TAG_BYTES).hexdigest()
        return Answer(product.body, tag, outcome, min(product.seconds, self._seconds))

    async def _get(self, name: str, about: str) -> _Found | None:
        """Return what there is in one exchange with Redis; None: nothing can be kept."""
        if not self._seconds or not self._breaker.allows():
            return None
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.hget(subjects.GENERATIONS, about)
                pipeline.get(name)
                word, kept = await pipeline.execute()
        except (RedisError, OSError) as error:
            self._failed(error)
            return None
        self._breaker.succeeded()
        try:
            return _Found(word, _decode(kept) if kept else None)
        except msgspec.DecodeError:
            return _Found(word, None)  # somebody else's: it is written over

    async def _keep(self, name: str, kept: _Kept) -> bool:
        if not self._breaker.allows():
            return False
        try:
            await self._redis.set(name, _encode(kept), ex=kept.seconds)
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
