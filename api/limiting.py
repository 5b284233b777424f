"""Nobody asks for more than a share: requests, and open subscribers, are limited for each address."""

from collections import Counter
from typing import Final, NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.limits import Limit, Limits, Verdict
from api.refusals import TOO_MANY_CONNECTIONS, TOO_MANY_REQUESTS
from api.settings import ApiSettings
from runtime.metrics import Metrics

_NOWHERE: Final = "local"
"""The address of who comes without one, over a socket that is a file."""


class _Limited(NamedTuple):
    requests: Limit
    connections: Limit
    open_at_once: int


class Limiting:
    """Answers 429 to who asks too much; a subscriber is refused before its socket is upgraded."""

    def __init__(self, app: ASGIApp, limits: Limits, settings: ApiSettings, metrics: Metrics) -> None:
        """Wrap ``app``."""
        self._app = app
        self._limits = limits
        self._limited = _Limited(
            Limit("requests", settings.requests_per_second, settings.requests_at_once),
            Limit("connections", settings.connections_per_second, settings.connections_at_once),
            settings.subscribers_per_address,
        )
        self._open: Counter[str] = Counter()
        self._refused = metrics.counter("heliograph_requests_limited_total")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else _NOWHERE
        limit = self._limited.requests if scope["type"] == "http" else self._limited.connections
        verdict = await self._limits.take(limit, address)
        if not verdict.allowed:
            await self._refuse(limit, verdict, scope, receive, send)
        elif scope["type"] == "http":
            await self._app(scope, receive, _telling(send, limit, verdict))
        else:
            await self._subscribed(address, scope, receive, send)

    async def _subscribed(self, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._limited.open_at_once
        if self._open[address] >= most:
            self._refused.labels("subscribers").inc()
            detail = f"{address} has {most} subscribers open already: close one first"
            refusal = problems.answer(scope["path"], TOO_MANY_CONNECTIONS, detail)
            refusal.headers["Retry-After"] = "1"
            await refusal(scope, receive, send)
            return
        self._open[address] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    async def _refuse(
        self, limit: Limit, verdict: Verdict, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._refused.labels(limit.name).inc()
        seconds = f"{verdict.again_in_seconds} s"
        detail = f"more than {limit.per_second:g} {limit.name} a second: the next is welcome in {seconds}"
        refused = TOO_MANY_REQUESTS if limit is self._limited.requests else TOO_MANY_CONNECTIONS
        refusal = problems.answer(scope["path"], refused, detail)
        refusal.headers["Retry-After"] = str(verdict.again_in_seconds)
        await refusal(scope, receive, _telling(send, limit, verdict))


def _telling(send: Send, limit: Limit, verdict: Verdict) -> Send:
    policy = f'"{limit.name}";q={limit.burst};w={limit.window_seconds}'
    standing = f'"{limit.name}";r={verdict.left};t={verdict.whole_in_seconds}'

    async def told(message: Message) -> None:
        if message["type"].endswith("response.start"):
            headers = MutableHeaders(scope=message)
            headers["RateLimit-Policy"] = policy
            headers["RateLimit"] = standing
        await send(message)

    return told
