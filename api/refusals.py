"""Every problem that REST may answer with, in one table: its number, its name, and what to do."""

from http import HTTPStatus
from typing import Final, NamedTuple

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
    UnknownJobError,
    UnknownSignalError,
)


class Refusal(NamedTuple):
    """A row of the table. A number never changes its meaning.

    2001 history, 2101 feeds, 2201 who asks, 2301 stores, 2401 limits, 2501 HTTP itself, 2901 errors of ours.
    """

    code: int
    name: str
    status: HTTPStatus
    title: str
    action: str


_AGAIN: Final = "Try again in a moment; /health tells more."
_LATER: Final = "Ask again after the seconds in Retry-After; RateLimit tells what is left."

BY_ERROR: Final[dict[type[HeliographError], Refusal]] = {
    InvalidInputError: Refusal(
        2001,
        "invalid-input",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The question cannot be answered as it is",
        "Mend what `detail` names; /docs has every parameter.",
    ),
    UnknownInstrumentError: Refusal(
        2002,
        "unknown-instrument",
        HTTPStatus.NOT_FOUND,
        "No such instrument",
        "Take one of /v1/instruments.",
    ),
    UnknownSignalError: Refusal(
        2003,
        "unknown-signal",
        HTTPStatus.NOT_FOUND,
        "No such signal",
        "Take an `id` of /v1/signals; a signal that was withdrawn is gone.",
    ),
    UnknownFeedError: Refusal(
        2101, "unknown-feed", HTTPStatus.NOT_FOUND, "No such feed", "Take one of /v1/admin/feeds."
    ),
    UnknownJobError: Refusal(
        2103, "unknown-job", HTTPStatus.NOT_FOUND, "No such job", "Take one of /v1/admin/jobs."
    ),
    SaturatedError: Refusal(
        2102, "saturated", HTTPStatus.SERVICE_UNAVAILABLE, "No ingester has room for more", _AGAIN
    ),
    UnauthenticatedError: Refusal(
        2201, "unauthenticated", HTTPStatus.UNAUTHORIZED, "Who are you?", "Send the operator's token."
    ),
    ForbiddenError: Refusal(
        2202,
        "forbidden",
        HTTPStatus.FORBIDDEN,
        "Not allowed",
        "Send the token that the API was started with.",
    ),
    ConfigurationError: Refusal(
        2203,
        "not-configured",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Something is not set up",
        "Set what `detail` names.",
    ),
    StoreUnavailableError: Refusal(
        2301,
        "database-unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database does not answer",
        _AGAIN,
    ),
    StoreBusyError: Refusal(
        2302, "database-busy", HTTPStatus.SERVICE_UNAVAILABLE, "The database is busy", _AGAIN
    ),
    HeliographError: Refusal(
        2901,
        "internal",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something failed here",
        "Look at the log of the API.",
    ),
}

FOREIGN_ORIGIN: Final = Refusal(
    2204,
    "foreign-origin",
    HTTPStatus.FORBIDDEN,
    "Not from this page",
    "Open the stream from a page of this server, or list the page's origin in HELIOGRAPH_API_ORIGINS.",
)
TOO_MANY_REQUESTS: Final = Refusal(
    2401, "too-many-requests", HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", _LATER
)
TOO_MANY_CONNECTIONS: Final = Refusal(
    2402,
    "too-many-connections",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many connections",
    "Follow many channels on one connection; connect again after the seconds in Retry-After.",
)
BODY_TOO_LARGE: Final = Refusal(
    2403,
    "body-too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The body is too large",
    "Send less at a time.",
)
BODY_TOO_SLOW: Final = Refusal(
    2404, "body-too-slow", HTTPStatus.REQUEST_TIMEOUT, "The body took too long", "Send it again, at once."
)
BODY_ENCODED: Final = Refusal(
    2405,
    "body-encoded",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The body is packed",
    "Send it without Content-Encoding.",
)
HEAD_TOO_LARGE: Final = Refusal(
    2406,
    "head-too-large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "The head of the request is too large",
    "Send shorter headers, and a shorter address.",
)
HEAD_TOO_SLOW: Final = Refusal(
    2407,
    "head-too-slow",
    HTTPStatus.REQUEST_TIMEOUT,
    "The head of the request took too long",
    "Send it again, at once.",
)
HTTP: Final = Refusal(
    2501,
    "http",
    HTTPStatus.NOT_FOUND,
    "HTTP says no",
    "/docs has every route; the stream is a WebSocket at /v1/stream.",
)
"""Its status and title are those of what HTTP refused: no such route, not with this method, no WebSocket."""

MALFORMED: Final = Refusal(
    2502, "malformed", HTTPStatus.BAD_REQUEST, "This is not HTTP", "Send HTTP/1.1; TLS is spoken by a proxy."
)

EVERY: Final = (
    *BY_ERROR.values(),
    FOREIGN_ORIGIN,
    TOO_MANY_REQUESTS,
    TOO_MANY_CONNECTIONS,
    BODY_TOO_LARGE,
    BODY_TOO_SLOW,
    BODY_ENCODED,
    HEAD_TOO_LARGE,
    HEAD_TOO_SLOW,
    HTTP,
    MALFORMED,
)


def of(error: HeliographError) -> Refusal:
    """Return the row of an error, or of the nearest that it derives from."""
    return next(BY_ERROR[base] for base in type(error).__mro__ if base in BY_ERROR)
