"""What may be asked of a venue now: shared through Redis, or each process's share while Redis is down."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Final, Protocol

import msgspec
import structlog

from ingest.outbound.breaker import Breaker
from ingest.venues.reach import Limit
from market.errors import BusUnavailableError, RateLimitedError
from market.times import SECOND

logger = structlog.get_logger(__name__)

PATIENCE_SECONDS: Final = 10.0
"""The longest wait for a budget; who would wait longer is told so, and comes back."""

_LEFT_ALONE_SECONDS: Final = 5.0
"""How long a Redis that failed is not asked."""


class Lane(Enum):
    """How much of a burst a lane may use: history leaves some of it to what is live."""

    LIVE = 1.0
    HISTORY = 0.5


class Shared(Protocol):
    """Budgets that all processes share; times are microseconds. Raises BusUnavailableError."""

    async def take(self, name: str, cost: int, span: int, known: int = 0) -> int:
        """Take from a budget that is whole no sooner than in ``known``; return 0, or when to ask again."""

    async def rest(self, name: str, duration: int) -> None:
        """Let a budget be whole no sooner than after ``duration``."""


class Nobody:
    """No Redis, where there is none: nothing is shared."""

    async def take(self, name: str, cost: int, span: int, known: int = 0) -> int:  # noqa: ARG002
        """Raise BusUnavailableError."""
        message = f"nobody shares the budget {name}"
        raise BusUnavailableError(message)

    async def rest(self, name: str, duration: int) -> None:
        """Raise BusUnavailableError."""
        await self.take(name, 0, duration)


class Ledger(msgspec.Struct, kw_only=True):
    """A budget as heartbeats carry it, in the venue's own measure.

    ``limit`` is what may be asked at once; ``used`` what this process has in use of it, a rest that the
    venue asked for among it; while Redis is down, of the process's share of it.
    """

    name: str
    limit: float
    used: float = 0.0
    waits: int = 0
    waited_seconds: float = 0.0


class LocalBudgets:
    """Budgets of one process: the arithmetic of the shared ones."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """Use ``clock``, in microseconds."""
        self._clock = clock
        self._whole_at: dict[str, int] = {}

    def take(self, name: str, cost: int, span: int) -> int:
        """Take from a budget; return 0, or in how many microseconds to ask again."""
        now, whole_at = self._clock(), self._whole_at.get(name, 0)
        after = max(whole_at, now) + cost
        if whole_at > now and after - span > now:
            return after - span - now
        self._whole_at[name] = after
        return 0

    def left(self, name: str) -> int:
        """Return in how many microseconds a budget is whole."""
        return max(0, self._whole_at.get(name, 0) - self._clock())

    def spend(self, name: str, cost: int) -> None:
        """Note what was taken, whatever there is."""
        self._whole_at[name] = self._clock() + self.left(name) + cost

    def rest(self, name: str, duration: int) -> None:
        """Let a budget be whole no sooner than after ``duration`` microseconds."""
        self._whole_at[name] = max(self._whole_at.get(name, 0), self._clock() + duration)


class Budgets:
    """The shared budgets, or while they cannot be reached a share of each.

    ``peers`` returns by how many processes a budget is divided then. At a change, either way, budgets
    begin empty, so that together no more is asked than is allowed. What this process spent itself, and what a
    venue told it, it says again with all that it takes: Redis may have forgotten.
    """

    def __init__(
        self, shared: Shared, peers: Callable[[], Awaitable[int]], clock: Callable[[], float]
    ) -> None:
        """Use ``clock``, in seconds."""
        self._shared = shared
        self._peers = peers
        self._own = LocalBudgets(lambda: int(clock() * SECOND))
        self._reachable = Breaker(clock, failures=1, longest_rest_seconds=_LEFT_ALONE_SECONDS)
        self._shared_once: set[str] = set()
        self._alone: set[str] = set()
        self._ledgers: dict[str, tuple[Limit, Ledger]] = {}

    def ledgers(self) -> list[Ledger]:
        """Return how the budgets stand that were asked for."""
        for limit, ledger in self._ledgers.values():
            ledger.used = round(min(limit.burst, self._own.left(limit.name) / SECOND * limit.per_second), 3)
        return [ledger for _, ledger in self._ledgers.values()]

    async def afford(self, limit: Limit, weight: float, lane: Lane) -> None:
        """Wait until ``weight`` may be asked; raises RateLimitedError where that would take long."""
        empty = limit, Ledger(name=limit.name, limit=limit.burst)
        _, ledger = self._ledgers.setdefault(limit.name, empty)
        while wait := await self._take(limit, weight, lane) / SECOND:
            ledger.waits += 1
            if wait > PATIENCE_SECONDS:
                message = f"the budget of {limit.name} is used up"
                raise RateLimitedError(message, wait)
            ledger.waited_seconds += wait
            await asyncio.sleep(wait)

    async def rest(self, limit: Limit, seconds: float) -> None:
        """Ask nothing for some time, as the venue said."""
        duration = round(seconds * SECOND) + _span(limit)
        self._own.rest(limit.name, duration)
        if limit.name not in self._alone:
            try:
                await self._shared.rest(limit.name, duration)
            except BusUnavailableError as error:
                logger.warning("budget.unshared", budget=limit.name, error=str(error))

    async def _take(self, limit: Limit, weight: float, lane: Lane) -> int:
        cost, span = round(weight / limit.per_second * SECOND), round(_span(limit) * lane.value)
        if self._reachable.allows():
            try:
                return await self._take_shared(limit, cost, span)
            except BusUnavailableError as error:
                self._reachable.failed()
                logger.warning("budget.unshared", budget=limit.name, error=str(error))
        if limit.name not in self._alone:
            self._alone.add(limit.name)
            if limit.name in self._shared_once:
                self._own.rest(limit.name, _span(limit))
        return self._own.take(limit.name, cost * await self._peers(), span)

    async def _take_shared(self, limit: Limit, cost: int, span: int) -> int:
        known = max(self._own.left(limit.name), _span(limit) if limit.name in self._alone else 0)
        wait = await self._shared.take(limit.name, cost, span, known)
        self._alone.discard(limit.name)
        if not wait:
            self._own.spend(limit.name, cost)
        self._shared_once.add(limit.name)
        self._reachable.succeeded()
        return wait


def _span(limit: Limit) -> int:
    """Return the microseconds in which a whole budget comes back."""
    return round(limit.burst / limit.per_second * SECOND)
