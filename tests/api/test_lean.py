"""Lean routes: described as FastAPI describes them, and as strict."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from api import problems
from api.lean import LeanRoute
from api.questions import SignalsQuestion
from api.state import Here


def application(route_class: type[APIRoute] = APIRoute) -> FastAPI:
    """Return an application that tells what it was asked."""
    router = APIRouter(route_class=route_class)

    @router.get("/asked")
    async def asked(request: Request, question: Annotated[SignalsQuestion, Query()], here: Here) -> Response:
        return Response(f"{request.url.path} {question!r} {sorted(here)}")

    app = FastAPI()
    app.include_router(router)
    problems.install(app)
    return app


async def answered(app: FastAPI, query: str) -> tuple[int, str]:
    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {"cache": None}}, receive, send)

    transport = httpx.ASGITransport(app=with_state)
    async with httpx.AsyncClient(transport=transport, base_url="http://lean") as http:
        response = await http.get(f"/asked?{query}")
    return response.status_code, response.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "exchange=kraken&symbol=SOL/USD&limit=5",
        "kind=rsi&kind=flow",
        "kind=rsi",
        "kind=",
        "from=2026-11-21T10:00:00Z&to=1795255200",
        "from=yesterday&limit=0",
        "from=1733270402&to=1733270401",
        "limit=many&sybmol=x",
        "from_=1733270402",
        "min_strength=2&order=up&format=xml",
        "limit=1&limit=2",
        "exchange=",
    ],
)
async def test_a_question_is_read_and_refused_as_fastapi_does(query: str) -> None:
    assert await answered(application(), query) == await answered(application(LeanRoute), query)


def test_a_lean_route_is_described_as_any_other() -> None:
    assert application().openapi() == application(LeanRoute).openapi()
