"""Limits that processes share, by the clock of Redis: how much one address may ask.

Each is one number, the moment at which it will be whole again (GCRA), which Redis forgets once it has passed.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bus.errors import translated

_KEY: Final = "heliograph.limit."

_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local unit, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local whole_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local free = math.floor((now + unit * burst - whole_at) / unit)
if free < 1 then return {0, whole_at - now} end
local taken = math.min(wanted, free)
whole_at = whole_at + unit * taken
redis.call('SET', KEYS[1], string.format('%.0f', whole_at), 'PX', math.ceil((whole_at - now) / 1000) + 1)
return {taken, whole_at - now}
"""


class Taken(NamedTuple):
    """How many were taken, and in how many microseconds the limit is whole again."""

    number: int
    whole_in: int


class SharedLimits:
    """Limits in Redis; raises BusUnavailableError, after which the caller has its own."""

    def __init__(self, redis: "Redis") -> None:
        self._take = redis.register_script(_TAKE)

    async def take(self, name: str, unit: int, burst: int, wanted: int) -> Taken:
        """Take up to ``wanted`` of a limit of ``burst``; one comes back every ``unit`` microseconds."""
        with translated(f"taking from the limit {name}"):
            number, whole_in = await self._take(keys=[_KEY + name], args=[unit, burst, wanted])
            return Taken(int(number), int(whole_in))


@asynccontextmanager
async def opened(url: str, timeout_seconds: float) -> AsyncIterator[SharedLimits]:
    """Open the limits; nothing is sent before the first is needed, so Redis need not be there."""
    redis = Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield SharedLimits(redis)
    finally:
        await redis.aclose()
