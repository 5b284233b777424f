"""The application: routes, errors, and what they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from api import problems
from api.bodies import Bodies
from api.described import described
from api.heads import Heads
from api.limiting import Limiting
from api.origins import Origins
from api.routes import (
    admin,
    admin_jobs,
    bars,
    coverage,
    depth,
    feeds,
    gaps,
    health,
    indicators,
    instruments,
    jobs,
    pages,
    quotes,
    signals,
    stream,
    trades,
    verifications,
)
from api.schemas import Problem
from api.state import State
from api.timing import Timing

_DESCRIPTION = (
    "History over REST; what is new over the WebSocket /v1/stream. Times are ISO 8601, UTC. Pages: give "
    "`next` back as `cursor`. An answer may be kept for some seconds (X-Cache); `Cache-Control: no-cache` "
    "asks for a fresh one."
)


class _App(FastAPI):
    """Describes itself completely."""

    def openapi(self) -> dict[str, Any]:
        """Return what /openapi.json says."""
        if self.openapi_schema is None:
            self.openapi_schema = described(super().openapi())
        return self.openapi_schema


def create(state: State) -> FastAPI:
    """Return the application around a state that lives longer than it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        yield state

    settings = state["settings"]
    app = _App(
        title="Heliograph",
        version=version("heliograph"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    )
    for noun in (
        instruments,
        trades,
        quotes,
        depth,
        bars,
        indicators,
        signals,
        gaps,
        coverage,
        verifications,
        feeds,
        jobs,
        admin,
        admin_jobs,
        health,
        stream,
        pages,
    ):
        app.include_router(noun.router)
    problems.install(app)
    app.add_middleware(Bodies, settings.max_body_bytes, settings.body_within_seconds)
    app.add_middleware(Origins, settings.origins)
    app.add_middleware(Limiting, state["limits"], settings, state["metrics"])
    app.add_middleware(Timing, metrics=state["metrics"])
    app.add_middleware(Heads)
    return app
