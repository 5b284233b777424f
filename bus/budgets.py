"""Budgets that processes share, by the clock of Redis: what a venue lets one address ask.

Each budget is one number, the moment at which it will be whole again (GCRA). What is asked for moves it
on; it may lie no further ahead than the budget's span. Redis forgets a budget that is whole.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bus.errors import translated

_ANSWER_WITHIN_SECONDS: Final = 0.5
_KEY: Final = "heliograph.budget."

_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local whole_at = tonumber(redis.call('GET', KEYS[1]) or '0')
local function keep(moment)
    redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', math.ceil((moment - now) / 1000) + 1)
end
"""
_TAKE: Final = (
    _NOW
    + """
local known = now + tonumber(ARGV[3])
if known > whole_at and known > now then
    whole_at = known
    keep(known)
end
local after = math.max(whole_at, now) + tonumber(ARGV[1])
local wait = after - tonumber(ARGV[2]) - now
if wait > 0 and whole_at > now then return wait end
keep(after)
return 0
"""
)
_REST: Final = (
    _NOW
    + """
local moment = now + tonumber(ARGV[1])
if moment > whole_at then keep(moment) end
return 0
"""
)


class SharedBudgets:
    """Budgets in Redis; every method raises BusUnavailableError, after which the caller has its own."""

    def __init__(self, redis: "Redis") -> None:
        self._take = redis.register_script(_TAKE)
        self._rest = redis.register_script(_REST)

    async def take(self, name: str, cost: int, span: int, known: int = 0) -> int:
        """Take ``cost`` from a budget; return 0, or in how many microseconds to ask again.

        The caller knows that it is whole no sooner than in ``known`` microseconds, whatever Redis remembers.
        ``cost`` and ``span`` are the microseconds in which what is taken, and a whole budget, comes back.
        """
        with translated(f"taking from the budget {name}"):
            return int(await self._take(keys=[_KEY + name], args=[cost, span, known]))

    async def rest(self, name: str, duration: int) -> None:
        """Let a budget be whole no sooner than ``duration`` microseconds from now."""
        with translated(f"resting the budget {name}"):
            await self._rest(keys=[_KEY + name], args=[duration])


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[SharedBudgets]:
    """Open the budgets; nothing is sent before the first is needed, so Redis need not be there."""
    redis = Redis.from_url(
        url,
        socket_timeout=_ANSWER_WITHIN_SECONDS,
        socket_connect_timeout=_ANSWER_WITHIN_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
    try:
        yield SharedBudgets(redis)
    finally:
        await redis.aclose()
