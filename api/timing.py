"""How long each route takes to answer."""

from collections.abc import Callable
from time import perf_counter

from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.metrics import Metrics


class Timing:
    """Measures HTTP requests by the route's own path, so that the number of labels stays small."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Callable[[], float] = perf_counter) -> None:
        """Wrap ``app``; ``clock`` counts seconds."""
        self._app = app
        self._seconds = metrics.histogram("heliograph_request_seconds")
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and measure."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock()
        try:
            await self._app(scope, receive, send)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._seconds.labels(route).observe(self._clock() - began)
