"""JSON into types, with one error for whatever does not fit."""

from typing import Any, TypeVar

import msgspec

from heliograph_client.errors import ProtocolError

_Kind = TypeVar("_Kind")


def decoded(text: bytes | str | msgspec.Raw, kind: type[_Kind]) -> _Kind:
    """Return what was told; raises ProtocolError."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeError) as error:
        message = f"{error}; is the server another version, or another program?"
        raise ProtocolError(message) from error


def anything(text: msgspec.Raw) -> Any:  # noqa: ANN401 - what a newer server tells has no type here
    """Return JSON of whatever kind; raises ProtocolError."""
    found: object = decoded(text, object)
    return found
