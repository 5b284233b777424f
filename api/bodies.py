"""The body of a request is small, plain, and soon here, whoever sends it."""

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.refusals import BODY_ENCODED, BODY_TOO_LARGE, BODY_TOO_SLOW, Refusal

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_AS_IT_IS: Final = frozenset({"", "identity"})


class Bodies:
    """Reads the body before anything else is done with the request, or refuses it."""

    def __init__(self, app: ASGIApp, max_bytes: int, within_seconds: float) -> None:
        """Wrap ``app``."""
        self._app = app
        self._max_bytes = max_bytes
        self._within_seconds = within_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, or refuse."""
        if scope["type"] != "http" or scope["method"] not in _WITH_BODY:
            await self._app(scope, receive, send)
            return
        body = await self._read(scope, receive)
        if isinstance(body, bytearray):
            await self._app(scope, _replayed(bytes(body), receive), send)
        else:
            refusal, detail = body
            answer = problems.answer(scope["path"], refusal, detail)
            answer.headers["Connection"] = "close"  # the rest of the body is not read
            await answer(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytearray | tuple[Refusal, str]:
        headers = Headers(scope=scope)
        if (encoding := headers.get("content-encoding", "").strip().lower()) not in _AS_IT_IS:
            return BODY_ENCODED, f"a body in {encoding!r} is not unpacked here: send it as it is"
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._max_bytes:
            return self._too_large()
        try:
            async with asyncio.timeout(self._within_seconds):
                return await self._all(receive)
        except TimeoutError:
            return BODY_TOO_SLOW, f"the body was not here within {self._within_seconds:g} s"

    async def _all(self, receive: Receive) -> bytearray | tuple[Refusal, str]:
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                return self._too_large()
            if not message.get("more_body"):
                return body

    def _too_large(self) -> tuple[Refusal, str]:
        return BODY_TOO_LARGE, f"the body is larger than {self._max_bytes} bytes: send it in several requests"


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body once, and then what else comes: that the client has gone."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
