"""The little of HTTP that a venue's REST needs."""

import asyncio
from collections.abc import Mapping
from http import HTTPMethod, HTTPStatus

import msgspec

HEAD_BYTES = 2**16
_END = b"\r\n\r\n"


class Request(msgspec.Struct, frozen=True):
    """One request; ``head`` is it as it came, without its body. Names of headers are in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    head: bytes
    body: bytes = b""

    @property
    def wants_socket(self) -> bool:
        """Tell whether it asks for a WebSocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"


class Answer(msgspec.Struct, frozen=True):
    """An answer in JSON."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = {}

    def encoded(self) -> bytes:
        """Return it as bytes; the connection stays open."""
        headers = {
            "content-type": "application/json",
            "content-length": str(len(self.body)),
            **self.headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} {self.status.phrase}\r\n{lines}\r\n".encode() + self.body


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request of a connection; None when it ended, or what came is no HTTP."""
    try:
        request = parsed(await reader.readuntil(_END))
        length = int(request.headers.get("content-length", "0"))
        return msgspec.structs.replace(request, body=await reader.readexactly(length))
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
        return None


def parsed(head: bytes) -> Request:
    """Return the request without its body; raises ValueError for what is no HTTP."""
    first, *lines = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    named = [line.partition(":") for line in lines]
    headers = {name.strip().lower(): value.strip() for name, _, value in named}
    return Request(HTTPMethod(method).value, target, headers, head)


def json_of(value: object) -> bytes:
    """Return compact JSON."""
    return msgspec.json.encode(value)
