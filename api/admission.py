"""Who may administer: who knows the operator's token."""

import hmac

from starlette.requests import Request

from api.state import Here
from market.errors import ConfigurationError, ForbiddenError, UnauthenticatedError

_SCHEME = "bearer"


async def operator(request: Request, here: Here) -> None:
    """Let the operator in; raises ConfigurationError, UnauthenticatedError, or ForbiddenError."""
    path = request.url.path
    token = here["settings"].operator_token
    if token is None or not token.get_secret_value():
        message = f"{path} is closed: set HELIOGRAPH_OPERATOR_TOKEN where the API starts"
        raise ConfigurationError(message)
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not given:
        message = f"{path} is for the operator: send `Authorization: Bearer TOKEN`"
        raise UnauthenticatedError(message)
    if not hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode()):
        message = f"{path} is for the operator, and this is not the operator's token"
        raise ForbiddenError(message)


def actor(request: Request) -> str:
    """Return who acts, as it is written down."""
    who = request.client.host if request.client else "somewhere"
    return f"operator at {who} by API"
