"""Errors as application/problem+json (RFC 9457): what was wrong, where, and what to do."""

from http import HTTPStatus
from typing import Any, NamedTuple

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.schemas import Problem
from market.errors import (
    ConfigurationError,
    ForbiddenError,
    HeliographError,
    InvalidInputError,
    SaturatedError,
    StoreBusyError,
    StoreUnavailableError,
    UnauthenticatedError,
    UnknownFeedError,
    UnknownInstrumentError,
    UnknownSignalError,
)

logger = structlog.get_logger(__name__)


class _Kind(NamedTuple):
    name: str
    status: HTTPStatus
    title: str
    action: str


_AGAIN = "Try again in a moment; /health tells more."
_KINDS: dict[type[HeliographError], _Kind] = {
    UnknownInstrumentError: _Kind(
        "unknown-instrument", HTTPStatus.NOT_FOUND, "No such instrument", "Take one of /v1/instruments."
    ),
    InvalidInputError: _Kind(
        "invalid-input",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The question cannot be answered as it is",
        "Mend what `detail` names; /docs has every parameter.",
    ),
    UnknownFeedError: _Kind(
        "unknown-feed", HTTPStatus.NOT_FOUND, "No such feed", "Take one of /v1/admin/feeds."
    ),
    UnknownSignalError: _Kind(
        "unknown-signal",
        HTTPStatus.NOT_FOUND,
        "No such signal",
        "Take an `id` of /v1/signals; a signal that was withdrawn is gone.",
    ),
    UnauthenticatedError: _Kind(
        "unauthenticated", HTTPStatus.UNAUTHORIZED, "Who are you?", "Send the operator's token."
    ),
    ForbiddenError: _Kind(
        "forbidden", HTTPStatus.FORBIDDEN, "Not allowed", "Send the token that the API was started with."
    ),
    SaturatedError: _Kind(
        "saturated", HTTPStatus.SERVICE_UNAVAILABLE, "No ingester has room for more", _AGAIN
    ),
    ConfigurationError: _Kind(
        "not-configured",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Something is not set up",
        "Set what `detail` names.",
    ),
    StoreUnavailableError: _Kind(
        "database-unavailable", HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer", _AGAIN
    ),
    StoreBusyError: _Kind("database-busy", HTTPStatus.SERVICE_UNAVAILABLE, "The database is busy", _AGAIN),
    HeliographError: _Kind(
        "internal", HTTPStatus.INTERNAL_SERVER_ERROR, "Something failed here", "Look at the log of the API."
    ),
}


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
    kind = next(_KINDS[base] for base in type(error).__mro__ if base in _KINDS)
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.warning("request.failed", path=request.url.path, error=str(error))
    blamed = error.where if isinstance(error, InvalidInputError) else ""
    errors = [{"where": blamed, "what": str(error)}] if blamed else []
    return _answer(request, kind, str(error), errors)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    errors = [_where_and_what(each) for each in error.errors()]
    detail = "; ".join(f"{each['where']}: {each['what']}" for each in errors)
    return _answer(request, _KINDS[InvalidInputError], detail, errors)


async def _http(request: Request, error: HTTPException) -> Response:
    status = HTTPStatus(error.status_code)
    action = "/docs has every route; the stream is a WebSocket at /v1/stream."
    answer = _answer(request, _Kind("http", status, status.phrase, action), str(error.detail))
    for name, value in (error.headers or {}).items():
        answer.headers[name] = f"{value}, HEAD" if (name, value) == ("Allow", "GET") else value
    return answer


async def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("request.broken", path=request.url.path, exc_info=error)
    return _answer(request, _KINDS[HeliographError], "an error that nobody expected; it is in the log")


def _where_and_what(error: dict[str, Any]) -> dict[str, Any]:
    where = ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])
    return {"where": where, "what": error["msg"].removeprefix("Value error, ")}


def _answer(
    request: Request, kind: _Kind, detail: str, errors: list[dict[str, Any]] | None = None
) -> Response:
    problem = Problem(
        type=f"urn:heliograph:problem:{kind.name}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=request.url.path,
        action=kind.action,
        errors=errors or [],
    )
    return Response(
        problem.model_dump_json(),
        kind.status,
        headers=_HEADERS.get(kind.status),
        media_type="application/problem+json",
    )
