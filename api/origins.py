"""Which pages may open the stream: a browser connects wherever any page tells it to, and says from where."""

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.refusals import FOREIGN_ORIGIN

_PORTS: Final = {"http": 80, "https": 443}


class Origins:
    """Refuses sockets of foreign pages before they are upgraded.

    Allowed is who says no origin, as programs do; the pages of this server, by its address or as localhost;
    and what is listed. A server's own name must be listed: any name may be made to lead to any address.
    """

    def __init__(self, app: ASGIApp, listed: Collection[str]) -> None:
        """Wrap ``app``."""
        self._app = app
        self._listed = {origin.rstrip("/").lower() for origin in listed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, or refuse."""
        if scope["type"] == "websocket":
            headers = Headers(scope=scope)
            said = headers.getlist("origin")
            if said and not (len(said) == 1 and self._allows(said[0].lower(), headers.get("host", ""))):
                detail = (
                    f"a page of {said[0]!r} may not open this stream: "
                    "list it in HELIOGRAPH_API_ORIGINS where the API starts"
                )
                await problems.answer(scope["path"], FOREIGN_ORIGIN, detail)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _allows(self, origin: str, host: str) -> bool:
        return origin in self._listed or _own(origin, host.lower())


def _own(origin: str, host: str) -> bool:
    """Tell whether a page came from the very address, not a name, at which it asks for the socket."""
    try:
        page, asked = urlsplit(origin), urlsplit(f"//{host}")
        port = _PORTS[page.scheme]
        same = (page.hostname, page.port or port) == (asked.hostname, asked.port or port)
    except (ValueError, KeyError):
        return False
    return same and _is_address(page.hostname or "")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return name == "localhost"
    return True
