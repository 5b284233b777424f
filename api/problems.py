"""Errors as application/problem+json (RFC 9457): what was wrong, where, and what to do."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api import refusals
from api.refusals import BY_ERROR, HTTP, Refusal
from api.schemas import Fault, Problem
from market.errors import HeliographError, InvalidInputError

logger = structlog.get_logger(__name__)

_HEADERS = {
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "1"},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
}


def install(app: FastAPI) -> None:
    """Answer every error of this application with a problem."""
    app.exception_handler(HeliographError)(_ours)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(Exception)(_unexpected)


async def _ours(request: Request, error: HeliographError) -> Response:
    refusal = refusals.of(error)
    if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.warning("request.failed", path=request.url.path, error=str(error))
    blamed = error.where if isinstance(error, InvalidInputError) else ""
    errors = [Fault(where=blamed, what=str(error))] if blamed else []
    return answer(request.url.path, refusal, str(error), errors)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    errors = [_fault(each) for each in error.errors()]
    detail = "; ".join(f"{each.where}: {each.what}" for each in errors)
    return answer(request.url.path, BY_ERROR[InvalidInputError], detail, errors)


async def _http(request: Request, error: HTTPException) -> Response:
    status = HTTPStatus(error.status_code)
    refusal = HTTP._replace(status=status, title=status.phrase)
    answered = answer(request.url.path, refusal, str(error.detail))
    answered.headers.update(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        answered.headers["Allow"] = _allowed(request, answered.headers["Allow"])
    return answered


async def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("request.broken", path=request.url.path, exc_info=error)
    what = "an error that nobody expected; it is in the log"
    return answer(request.url.path, BY_ERROR[HeliographError], what)


def _allowed(request: Request, said: str) -> str:
    """Return what a path answers to; each of its routes knows only of itself."""
    path = getattr(request.scope.get("route"), "path", "")
    methods = {*said.split(", "), *map(str.upper, request.app.openapi()["paths"].get(path, ()))}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def answer(path: str, refusal: Refusal, detail: str, errors: Sequence[Fault] = ()) -> Response:
    """Return a problem as the answer to a request for ``path``."""
    problem = Problem(
        type=f"urn:heliograph:problem:{refusal.name}",
        code=refusal.code,
        title=refusal.title,
        status=refusal.status,
        detail=detail,
        instance=path,
        action=refusal.action,
        errors=list(errors),
    )
    headers = _HEADERS.get(refusal.status)
    return Response(problem.model_dump_json(), refusal.status, headers, "application/problem+json")


def _fault(error: dict[str, Any]) -> Fault:
    where = ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])
    return Fault(where=where, what=error["msg"].removeprefix("Value error, "))
