"""What /asyncapi.json says: the stream, generated from the types that it is spoken with."""

from functools import cache
from importlib.metadata import version
from typing import Any, Final, get_args

import msgspec

from api.documented import EXAMPLES
from api.formats import Format
from api.frames import CloseCode, Code, Outgoing, Subscribe, Unsubscribe
from api.published import Published

ASKED: Final[tuple[type[msgspec.Struct], ...]] = (Subscribe, Unsubscribe)
"""What a subscriber sends."""

TOLD: Final[tuple[type[msgspec.Struct], ...]] = (*get_args(Outgoing), *get_args(Published))
"""What it is sent."""

_SCHEMAS: Final = "#/components/schemas/{name}"
_MESSAGES: Final = "#/components/messages"
_CHANNEL: Final = "#/channels/stream"
_DESCRIPTION: Final = (
    "The stream over a WebSocket. Each frame is an object with an `op`: JSON in text frames, or MessagePack "
    "in binary ones, as the subprotocol says. Within v1 fields and ops are only added: ignore those that you "
    "do not know. Lossless channels carry every offset, in order, exactly once; remember the last, and "
    "resume from it."
)

_TIMES: Final = "Whether frames with data say when the server heard (`heard_at`) and sent (`sent_at`) them."


@cache
def document() -> bytes:
    """Return the document, of AsyncAPI 3.0."""
    schemas, components = msgspec.json.schema_components((*ASKED, *TOLD), ref_template=_SCHEMAS)
    messages = {
        op_of(one): _message(one, schema) for one, schema in zip((*ASKED, *TOLD), schemas, strict=True)
    }
    described = {
        "asyncapi": "3.0.0",
        "info": {"title": "Heliograph", "version": version("heliograph"), "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {"stream": _channel(messages)},
        "operations": {
            "ask": _operation("receive", "What a subscriber sends.", ASKED),
            "tell": _operation("send", "What a subscriber is sent.", TOLD),
        },
        "components": {"messages": messages, "schemas": components},
        "x-errors": [{"code": code, "name": code.name, "fatal": code.fatal} for code in Code],
        "x-close-codes": [
            {"code": code, "name": code.name, "come_back": code.come_back} for code in CloseCode
        ],
    }
    return msgspec.json.encode(described)


def op_of(frame: type[msgspec.Struct]) -> str:
    """Return the ``op`` by which a type of frame is told."""
    return str(frame.__struct_config__.tag)


def _message(frame: type[msgspec.Struct], schema: dict[str, Any]) -> dict[str, Any]:
    op = op_of(frame)
    return {
        "name": op,
        "summary": (frame.__doc__ or "").partition("\n")[0],
        "payload": schema,
        "examples": [{"payload": each} for each in EXAMPLES[op]],
    }


def _channel(messages: dict[str, Any]) -> dict[str, Any]:
    header = {"type": "string", "enum": [each.value for each in Format], "default": Format.JSON.value}
    headers = {"type": "object", "properties": {"Sec-WebSocket-Protocol": header}}
    times = {"type": "boolean", "default": False, "description": _TIMES}
    query = {"type": "object", "properties": {"times": times}}
    return {
        "address": "/v1/stream",
        "messages": {op: {"$ref": f"{_MESSAGES}/{op}"} for op in messages},
        "bindings": {"ws": {"method": "GET", "headers": headers, "query": query}},
    }


def _operation(action: str, summary: str, told: tuple[type[msgspec.Struct], ...]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": _CHANNEL},
        "messages": [{"$ref": f"{_CHANNEL}/messages/{op_of(one)}"} for one in told],
    }
