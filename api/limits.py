"""How much one address may ask: shared through Redis, or each process's own while Redis is down.

A process takes a few at a time and hands them out itself, so that most requests ask nobody.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple, Protocol

import structlog

from api.breaker import Breaker
from bus.limits import Taken
from market.errors import BusUnavailableError
from market.times import SECOND

logger = structlog.get_logger(__name__)

_ADDRESSES: Final = 10_000
"""Addresses remembered; beyond, the one that asked longest ago is forgotten, with what it holds."""

_HANDED_OUT: Final = 50
"""A process takes this part of a burst at a time: little is lost where it does not hand it out."""


class Limit(NamedTuple):
    """So many a second, and so many at once."""

    name: str
    per_second: float
    burst: int

    @property
    def unit(self) -> int:
        """Return the microseconds in which one comes back; quicker than one a microsecond is none."""
        return max(1, round(SECOND / self.per_second))

    @property
    def window_seconds(self) -> int:
        """Return in how many seconds all come back."""
        return max(1, -(-self.unit * self.burst // SECOND))


class Verdict(NamedTuple):
    """Whether one more is let through, what is left after it, and when all is back."""

    allowed: bool
    left: int
    whole_in_seconds: int
    again_in_seconds: int


class Shared(Protocol):
    """Limits that all processes share. Raises BusUnavailableError."""

    async def take(self, name: str, unit: int, burst: int, wanted: int) -> Taken:
        """Take up to ``wanted``."""


class LocalLimits:
    """Limits of one process: the arithmetic of the shared ones."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """Use ``clock``, in microseconds."""
        self._clock = clock
        self._whole_at: OrderedDict[str, int] = OrderedDict()

    def take(self, name: str, unit: int, burst: int, wanted: int) -> Taken:
        """Take up to ``wanted``."""
        now = self._clock()
        whole_at = max(self._whole_at.get(name, 0), now)
        taken = min(wanted, (now + unit * burst - whole_at) // unit)
        if taken < 1:
            return Taken(0, whole_at - now)
        self._whole_at[name] = whole_at + unit * taken
        self._whole_at.move_to_end(name)
        if len(self._whole_at) > _ADDRESSES:
            self._whole_at.popitem(last=False)
        return Taken(taken, self._whole_at[name] - now)


class _Held:
    """What this process has taken for an address and not handed out yet."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.number = 0
        self.whole_at = 0


class Limits:
    """Takes from the shared limits; what fails is left alone for a while, and this process has its own."""

    def __init__(self, shared: Shared, reachable: Breaker, clock: Callable[[], float]) -> None:
        """Use ``clock``, in seconds."""
        self._shared = shared
        self._reachable = reachable
        self._clock = clock
        self._own = LocalLimits(self._now)
        self._held: OrderedDict[str, _Held] = OrderedDict()

    async def take(self, limit: Limit, address: str) -> Verdict:
        """Take one for an address."""
        name = f"{limit.name}.{_neighbourhood(address)}"
        held = self._of(name)
        async with held.lock:  # who comes while more is taken waits for it, and takes no more
            if not held.number:
                taken = await self._take(limit, name)
                held.number, held.whole_at = taken.number, self._now() + taken.whole_in
            allowed = held.number > 0
            held.number -= allowed
        return self._verdict(limit, held, allowed=allowed)

    def _now(self) -> int:
        return int(self._clock() * SECOND)

    def _of(self, name: str) -> _Held:
        held = self._held.setdefault(name, _Held())
        self._held.move_to_end(name)
        if len(self._held) > _ADDRESSES:
            self._held.popitem(last=False)
        return held

    async def _take(self, limit: Limit, name: str) -> Taken:
        asked = (name, limit.unit, limit.burst, max(1, limit.burst // _HANDED_OUT))
        if self._reachable.allows():
            try:
                taken = await self._shared.take(*asked)
            except BusUnavailableError as error:
                self._reachable.failed()
                logger.warning("limits.unshared", error=str(error))
            else:
                self._reachable.succeeded()
                return taken
        return self._own.take(*asked)

    def _verdict(self, limit: Limit, held: _Held, *, allowed: bool) -> Verdict:
        whole_in = max(0, held.whole_at - self._now())
        free = (limit.unit * limit.burst - whole_in) // limit.unit
        again_in = 0 if allowed else max(1, whole_in - limit.unit * (limit.burst - 1))
        return Verdict(allowed, max(0, free + held.number), -(-whole_in // SECOND), -(-again_in // SECOND))


def _neighbourhood(address: str) -> str:
    """Return what is limited as one: an address or, of IPv6, all that one host may give itself."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or f"{IPv6Address(int(parsed) >> 64 << 64)}/64")
    return str(parsed)
