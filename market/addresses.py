"""Addresses that stand in for a venue's own: scheme, host, and port."""

from typing import Final
from urllib.parse import urlsplit

from market.errors import InvalidInputError

_STREAM: Final = ("ws", "wss")
_REST: Final = ("http", "https")


def demand_addresses(stream_url: str | None, rest_url: str | None) -> None:
    """Raise InvalidInputError for one that nobody could be reached at; None is the venue's own."""
    if stream_url is not None:
        _demand(stream_url, _STREAM, "stream_url")
    if rest_url is not None:
        _demand(rest_url, _REST, "rest_url")


def _demand(url: str, schemes: tuple[str, ...], where: str) -> None:
    if problem := _problem(url, schemes):
        message = f"{where} {url!r} {problem}; give one such as {schemes[-1]}://example.org:8443"
        raise InvalidInputError(message, where=where)


def _problem(url: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError as error:
        return f"is no address ({error})"
    if parts.scheme not in schemes:
        return f"does not begin with {' or '.join(f'{each}://' for each in schemes)}"
    if not host or port == 0 or any(map(str.isspace, host)):
        return "names no host, or no port, that there can be"
    return ""
