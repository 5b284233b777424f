"""Asking venues over HTTP: budgets first, hosts in turn, what fails is tried again."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec
import structlog

from ingest.outbound.breaker import Breaker, State
from ingest.outbound.budgets import Budgets, Lane
from ingest.venues.history import Answer, Request, judge
from ingest.venues.reach import Limit, Reach
from market.addresses import demand_addresses
from market.errors import (
    InvalidInputError,
    RateLimitedError,
    VenueRefusedError,
    VenueUnavailableError,
)
from runtime.backoff import delays

logger = structlog.get_logger(__name__)

_TRIES: Final = 4
_FIRST_RETRY_SECONDS: Final = 0.25
_RETRY_CAP_SECONDS: Final = 4.0

_BODY_BYTES: Final = 64 * 2**20
"""The longest answer that is read: a page, or a book, is some hundred kB."""

_WHOLE_WITHIN_SECONDS: Final = 60.0


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of whom: ``base`` stands in for the venue's hosts, ``judge`` raises what is no page."""

    reach: Reach
    request: Request
    lane: Lane
    base: str | None = None
    judge: Callable[[Answer], None] = judge


class Asked(msgspec.Struct):
    """What became of the requests to one venue."""

    requests: int = 0
    limited: int = 0
    failed: int = 0


class Outbound:
    """Asks venues, with one breaker a host."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        budgets: Budgets,
        *,
        clock: Callable[[], float] = time.monotonic,
        whole_within_seconds: float = _WHOLE_WITHIN_SECONDS,
        body_bytes: int = _BODY_BYTES,
    ) -> None:
        """Use ``clock``, in seconds; an answer that takes longer, or is larger, is none."""
        self._http = http
        self._budgets = budgets
        self._whole_within_seconds = whole_within_seconds
        self._body_bytes = body_bytes
        self._breakers: defaultdict[str, Breaker] = defaultdict(lambda: Breaker(clock))
        self._turns: defaultdict[str, int] = defaultdict(int)
        self._asked: defaultdict[str, Asked] = defaultdict(Asked)

    def counters(self) -> dict[str, object]:
        """Return what heartbeats carry."""
        return {
            "venues": {name: msgspec.to_builtins(asked) for name, asked in self._asked.items()},
            "hosts": {host: str(breaker.state) for host, breaker in self._breakers.items()},
            "budgets": msgspec.to_builtins(self._budgets.ledgers()),
        }

    async def get(self, call: Call) -> bytes:
        """Return the body of an answer that is a page.

        Raises RateLimitedError and VenueRefusedError at once, and VenueUnavailableError when no host
        gave an answer in some tries.
        """
        _demand_place(call.base)
        waits = delays(_FIRST_RETRY_SECONDS, _RETRY_CAP_SECONDS)
        tries = 1
        while True:
            host = self._host(call)
            try:
                return await self._ask(host, call)
            except VenueUnavailableError as error:
                self._turns[call.reach.requests.name] += 1
                if tries == _TRIES:
                    raise
                logger.warning("venue.failed", host=host, tries=tries, error=str(error))
            tries += 1
            await asyncio.sleep(next(waits))

    async def once(self, call: Call) -> bytes:
        """Return the body of an answer that is a page, of the host whose turn it is; raises what is none."""
        _demand_place(call.base)
        return await self._ask(self._host(call), call)

    async def connecting(self, url: str, limit: Limit, base: str | None = None) -> Breaker:
        """Return the breaker to tell whether connecting to ``url`` succeeded, once it may be tried.

        ``base`` stands in for the venue. Raises VenueUnavailableError while its host is left alone.
        """
        breaker = self._breakers[_name(url)]
        if not breaker.allows():
            raise _left_alone(_name(url), breaker)
        await self._budgets.afford(_of(limit, base), 1, Lane.LIVE)
        return breaker

    def _host(self, call: Call) -> str:
        """Return the host whose turn it is among those that are not left alone."""
        hosts = (call.base,) if call.base else call.reach.hosts
        turn = self._turns[call.reach.requests.name]
        for offset in range(len(hosts)):
            host = hosts[(turn + offset) % len(hosts)]
            if self._breakers[_name(host)].allows():
                return host
        first = min(map(_name, hosts), key=lambda name: self._breakers[name].seconds_left)
        raise _left_alone(first, self._breakers[first])

    async def _ask(self, host: str, call: Call) -> bytes:
        limit = _of(call.reach.requests, call.base)
        await self._budgets.afford(limit, call.request.weight, call.lane)
        asked, breaker = self._asked[call.reach.requests.name], self._breakers[_name(host)]
        asked.requests += 1
        try:
            answer = await self._fetch(host + call.request.path, call.request.headers)
            call.judge(answer)
        except VenueUnavailableError:
            asked.failed += 1
            breaker.failed()
            raise
        except RateLimitedError as error:
            asked.limited += 1
            breaker.succeeded()
            await self._budgets.rest(limit, error.retry_after_seconds)
            raise
        except VenueRefusedError:
            breaker.succeeded()
            raise
        breaker.succeeded()
        return answer.body

    async def _fetch(self, url: str, headers: Mapping[str, str]) -> Answer:
        try:
            async with asyncio.timeout(self._whole_within_seconds):
                return await self._read(url, headers)
        except TimeoutError as error:
            message = f"no whole answer from {url} in {self._whole_within_seconds:g} s"
            raise VenueUnavailableError(message) from error
        except httpx.HTTPError as error:
            message = f"no answer from {url}: {type(error).__name__}: {error}"
            raise VenueUnavailableError(message) from error
        except (httpx.InvalidURL, ValueError) as error:
            message = f"{url} cannot be asked: {error}"
            raise VenueRefusedError(message) from error

    async def _read(self, url: str, headers: Mapping[str, str]) -> Answer:
        body = bytearray()
        async with self._http.stream("GET", url, headers=headers) as response:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > self._body_bytes:
                    message = f"the answer from {url} is longer than {self._body_bytes} bytes"
                    raise VenueUnavailableError(message)
        return Answer(response.status_code, bytes(body), response.headers.get("retry-after", ""))


def _of(limit: Limit, base: str | None) -> Limit:
    """Return the budget; a place that stands in for the venue has one of its own."""
    return msgspec.structs.replace(limit, name=f"{limit.name}@{_name(base)}") if base else limit


def _demand_place(base: str | None) -> None:
    try:
        demand_addresses(None, base)
    except InvalidInputError as error:
        message = f"the venue cannot be asked: {error}"
        raise VenueRefusedError(message) from error


def _name(url: str) -> str:
    return urlsplit(url).netloc


def _left_alone(host: str, breaker: Breaker) -> VenueUnavailableError:
    half = " while another try is under way" if breaker.state == State.HALF_OPEN else ""
    return VenueUnavailableError(
        f"{host} failed too often and is left alone for another {breaker.seconds_left:.0f} s{half}"
    )
