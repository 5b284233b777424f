"""GET /v1/stream, the WebSocket."""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Response, WebSocket

from api import frames
from api.asyncapi import document
from api.connection import Connection
from api.formats import Format, wire
from api.frames import CloseCode, Code
from api.state import state
from api.writing import wire_of

router = APIRouter()

_SPOKEN = [format_.value for format_ in Format]


@router.get("/v1/stream", include_in_schema=False)
async def not_upgraded() -> None:
    """Refuse who asks for the stream as for a page."""
    message = "the stream is a WebSocket: connect to it with ws:// or wss://"
    raise HTTPException(HTTPStatus.UPGRADE_REQUIRED, message, {"Upgrade": "websocket"})


@router.get("/asyncapi.json", include_in_schema=False)
async def asyncapi() -> Response:
    """Describe the stream for programs."""
    return Response(document(), media_type="application/json")


async def stream(socket: WebSocket) -> None:
    """Serve a subscriber; the frames are described in docs/stream.md."""
    here = await state(socket)
    asked = socket.scope["subprotocols"]
    spoken = next((Format(name) for name in asked if name in _SPOKEN), None)
    if asked and spoken is None:
        await _refuse(socket, asked)
        return
    await socket.accept(spoken)
    await Connection(socket, spoken or Format.JSON, here["hub"], here["settings"], here["metrics"]).run()


async def _refuse(socket: WebSocket, asked: list[str]) -> None:
    await socket.accept()
    message = f"none of the subprotocols {', '.join(asked)} is spoken here: ask for {' or '.join(_SPOKEN)}"
    await wire_of(socket).put(wire(frames.error(None, Code.BAD_SUBPROTOCOL, message), Format.JSON))
    await socket.close(CloseCode.BAD_SUBPROTOCOL)


router.add_websocket_route("/v1/stream", stream)  # FastAPI's own keeps some kilobytes a socket
