"""Where the API is, and its stream."""

from urllib.parse import urlsplit

from heliograph_client.errors import InvalidQuestionError

_SCHEMES = {"http": "ws", "https": "wss"}


def address_of(url: str) -> str:
    """Return the address without a path; raises InvalidQuestionError."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        message = f"{url!r} is no address of an API: write it like http://127.0.0.1:8000"
        raise InvalidQuestionError(message)
    return f"{parts.scheme}://{parts.netloc}"


def stream_of(address: str) -> str:
    """Return where the stream of the API at ``address`` is."""
    scheme, _, rest = address.partition(":")
    return f"{_SCHEMES[scheme]}:{rest}/v1/stream"
