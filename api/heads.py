"""HEAD, wherever there is GET."""

from starlette.types import ASGIApp, Receive, Scope, Send

_MARK = "heliograph.head"


def is_head(scope: Scope) -> bool:
    """Tell whether nobody will read the body of the answer."""
    return _MARK in scope


class Heads:
    """Asks the application for what GET answers; the server sends the head of it and leaves out the rest."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET", _MARK: True}
        await self._app(scope, receive, send)
