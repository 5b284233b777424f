"""Frames of WebSocket as a server writes them (RFC 6455, 5.2): whole, and not masked."""

from struct import pack

_TEXT = 0x81
_SHORT, _TWO_BYTES, _EIGHT_BYTES = 125, 126, 127
_LONGEST_OF_TWO_BYTES = 2**16 - 1


def text_frame(text: bytes) -> bytes:
    """Return a text message as one frame."""
    length = len(text)
    if length <= _SHORT:
        return pack("!BB", _TEXT, length) + text
    if length <= _LONGEST_OF_TWO_BYTES:
        return pack("!BBH", _TEXT, _TWO_BYTES, length) + text
    return pack("!BBQ", _TEXT, _EIGHT_BYTES, length) + text
