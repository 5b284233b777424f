"""``heliograph tail``: the frames of channels, printed as they come."""

import asyncio
import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from heliograph.whereabouts import page
from market.channels import parse
from market.errors import StackError
from runtime.lifecycle import Main

_QUIET_OPS = frozenset({"heartbeat"})


class Told(msgspec.Struct):
    """The part of a frame that decides what becomes of it."""

    op: str
    message: str = ""


def tail(channels: list[str], url: str | None, data_dir: Path | None = None) -> Main:
    """Return a program that prints the frames of ``channels`` until it is stopped.

    Raises InvalidInputError for a channel that cannot be.
    """
    request = msgspec.json.encode(
        {"op": "subscribe", "id": 1, "channels": [{"channel": str(parse(name))} for name in channels]}
    )
    address = _stream_address(url or page(data_dir))

    async def main(stopping: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(_follow(address, request.decode()))
            stopped = group.create_task(stopping.wait())
            await asyncio.wait((following, stopped), return_when=asyncio.FIRST_COMPLETED)
            following.cancel()
            stopped.cancel()

    return main


async def _follow(address: str, request: str) -> None:
    socket = await _connected(address)
    try:
        await socket.send(request)
        await _print(socket)
    except ConnectionClosed as exc:
        message = f"the API closed the connection: {exc}"
        raise StackError(message) from exc
    finally:
        await socket.close()


async def _connected(address: str) -> ClientConnection:
    try:
        return await connect(address, compression=None, max_size=None)
    except (OSError, InvalidHandshake) as exc:
        message = f"nothing answers at {address}: {exc}; run `heliograph up`, or say where with --url"
        raise StackError(message) from exc


def _stream_address(page_address: str) -> str:
    parts = urlsplit(page_address)
    scheme = "wss" if parts.scheme in {"https", "wss"} else "ws"
    return f"{scheme}://{parts.netloc}/v1/stream"


async def _print(socket: ClientConnection) -> None:
    decode = msgspec.json.Decoder(Told).decode
    async for text in socket:
        told = decode(text)
        if told.op == "error":
            raise StackError(told.message)
        if told.op not in _QUIET_OPS:
            sys.stdout.write(f"{text if isinstance(text, str) else text.decode()}\n")
            sys.stdout.flush()
