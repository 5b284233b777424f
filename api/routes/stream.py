"""GET /v1/stream, the WebSocket."""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, WebSocket

from api import frames
from api.connection import Connection
from api.frames import CloseCode, Code
from api.state import Here

router = APIRouter()


@router.get("/v1/stream", include_in_schema=False)
async def not_upgraded() -> None:
    """Refuse who asks for the stream as for a page."""
    message = "the stream is a WebSocket: connect to it with ws:// or wss://"
    raise HTTPException(HTTPStatus.UPGRADE_REQUIRED, message, {"Upgrade": "websocket"})


@router.websocket("/v1/stream")
async def stream(socket: WebSocket, here: Here) -> None:
    """Serve a subscriber; the frames are described in docs/stream.md."""
    asked = socket.scope["subprotocols"]
    if asked and frames.JSON_PROTOCOL not in asked:
        await _refuse(socket, asked)
        return
    await socket.accept(frames.JSON_PROTOCOL if asked else None)
    await Connection(socket, here["hub"], here["settings"], here["metrics"]).run()


async def _refuse(socket: WebSocket, asked: list[str]) -> None:
    await socket.accept()
    message = f"none of the subprotocols {', '.join(asked)} is spoken here: ask for {frames.JSON_PROTOCOL}"
    await socket.send_text(frames.encode(frames.error(None, Code.BAD_SUBPROTOCOL, message)))
    await socket.close(CloseCode.BAD_SUBPROTOCOL)
