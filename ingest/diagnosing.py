"""Why a venue cannot be read, in words that say what to do."""

import socket
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from websockets.exceptions import InvalidProxy, InvalidStatus
from websockets.exceptions import ProxyError as SocketProxyError

from market.errors import FeedError, GeoBlockedError, ProxyError, UnresolvedNameError

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""Simulated venues are there; no proxy stands between us and them."""

_BLOCKED: Final = {HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS}
_SAID_BYTES: Final = 200

_OF_PROXIES: Final = (SocketProxyError, InvalidProxy, ImportError, httpx.ProxyError)
_OF_CONNECTIONS: Final = (OSError, TimeoutError, httpx.TransportError)


def refusal_of(url: str, error: Exception) -> FeedError:
    """Return what the failure to reach a venue, or to stay connected, means."""
    host = urlsplit(url).hostname or url
    if unresolved := _unresolved(error):
        message = f"{host} has no address here ({unresolved.strerror}): look at DNS and at the network"
        return UnresolvedNameError(message)
    if isinstance(error, InvalidStatus):
        return status_refusal(url, error.response.status_code, bytes(error.response.body or b""))
    proxy = proxy_for(url)
    if isinstance(error, _OF_PROXIES) or (proxy is not None and isinstance(error, _OF_CONNECTIONS)):
        message = (
            f"the proxy {proxy or 'of the environment'} does not let us through to {host}: {_words(error)}; "
            f"set HTTPS_PROXY right, or name {host} in NO_PROXY"
        )
        return ProxyError(message)
    message = f"{url} cannot be read: {_words(error)}"
    return FeedError(message)


def status_refusal(url: str, status: int, body: bytes) -> FeedError:
    """Return what an HTTP status other than the expected one means."""
    host = urlsplit(url).hostname or url
    said = body[:_SAID_BYTES].decode(errors="replace").strip()
    answer = f"HTTP {status}" + (f" ({said})" if said else "")
    if status in _BLOCKED:
        message = (
            f"{host} does not serve this machine's address: {answer}; it blocks the country, or the network. "
            "Run where it is served, or pass it by with `heliograph feeds remove`"
        )
        return GeoBlockedError(message)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        message = (
            f"a proxy before {host} wants to know who we are: {answer}; put USER:PASSWORD@ into HTTPS_PROXY"
        )
        return ProxyError(message)
    message = f"{url} cannot be read: {answer}"
    return FeedError(message)


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment puts before an address, without its password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK or proxy_bypass(host):
        return None
    proxies = getproxies()
    secure = parts.scheme in {"wss", "https"}
    names = ("wss", "socks", "https") if secure else ("ws", "socks", "https", "http")
    found = next((proxies[name] for name in names if name in proxies), None)
    return None if found is None else (urlsplit(found).netloc or found).rpartition("@")[2]


def _unresolved(error: BaseException | None) -> socket.gaierror | None:
    """Return the failure to find an address that is at the bottom of an error."""
    while error is not None and not isinstance(error, socket.gaierror):
        error = error.__cause__ or error.__context__
    return error


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
