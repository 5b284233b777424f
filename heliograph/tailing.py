"""``heliograph tail``: the frames of channels, printed as they come."""

import asyncio
import sys
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from api.settings import ApiSettings
from market.channels import parse
from market.errors import StackError
from runtime.lifecycle import Main

_QUIET_OPS = frozenset({"heartbeat"})


class Op(msgspec.Struct):
    """The part of a frame that decides whether it is printed."""

    op: str


def tail(channels: list[str], url: str | None) -> Main:
    """Return a program that prints the frames of ``channels`` until it is stopped.

    Raises InvalidInputError for a channel that cannot be.
    """
    request = msgspec.json.encode(
        {"op": "subscribe", "id": 1, "channels": [{"channel": str(parse(name))} for name in channels]}
    )
    address = _stream_address(url)

    async def main(stopping: asyncio.Event) -> None:
        try:
            async with connect(address, compression=None, max_size=None) as socket:
                await socket.send(request.decode())
                await _print_until(socket, stopping)
        except (OSError, InvalidHandshake) as exc:
            message = f"nothing answers at {address}: {exc}; run `heliograph up`, or say where with --url"
            raise StackError(message) from exc
        except ConnectionClosed as exc:
            message = f"the API closed the connection: {exc}"
            raise StackError(message) from exc

    return main


def _stream_address(url: str | None) -> str:
    settings = ApiSettings()
    parts = urlsplit(url or f"http://{settings.host}:{settings.port}")
    scheme = "wss" if parts.scheme in ("https", "wss") else "ws"
    return f"{scheme}://{parts.netloc}/v1/stream"


async def _print_until(socket: ClientConnection, stopping: asyncio.Event) -> None:
    decode = msgspec.json.Decoder(Op).decode
    async with asyncio.TaskGroup() as group:
        closing = group.create_task(_close_when(socket, stopping))
        async for text in socket:
            if decode(text).op not in _QUIET_OPS:
                sys.stdout.write(f"{text if isinstance(text, str) else text.decode()}\n")
                sys.stdout.flush()
        closing.cancel()


async def _close_when(socket: ClientConnection, stopping: asyncio.Event) -> None:
    await stopping.wait()
    await socket.close()
