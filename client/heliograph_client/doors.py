"""Asking over HTTP, again where that may help."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx
import msgspec

from heliograph_client.backoff import delays
from heliograph_client.errors import BusyError, RefusedError, UnreachableError

_AGAIN = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_LONGEST_RETRY_AFTER_SECONDS = 60.0


class Question(NamedTuple):
    """What is asked: a path, and parameters, of which those that are None are left out."""

    path: str
    parameters: Mapping[str, str | float | Sequence[str] | None]

    @property
    def said(self) -> dict[str, str | float | Sequence[str]]:
        """Return the parameters that are said."""
        return {name: value for name, value in self.parameters.items() if value is not None}


Ask = Callable[[Question], bytes]
AskLater = Callable[[Question], Awaitable[bytes]]


class _Problem(msgspec.Struct):
    """The part of an application/problem+json that is told on."""

    title: str = ""
    detail: str = ""
    action: str = ""
    code: int | None = None


class Patience:
    """Counts the tries of one question, and says how long to wait before the next."""

    def __init__(self, tries: int, address: str) -> None:
        """Allow so many tries."""
        self._left = tries
        self._address = address
        self._waits = delays()

    def after(self, error: httpx.TransportError | BusyError) -> float:
        """Return the seconds to wait; raises ClientError when no try is left."""
        self._left -= 1
        if self._left <= 0:
            raise _final(error, self._address) from error
        least = error.retry_after_seconds if isinstance(error, BusyError) else 0.0
        return least + next(self._waits)


def _final(error: httpx.TransportError | BusyError, address: str) -> Exception:
    if isinstance(error, BusyError):
        return error
    return UnreachableError(f"nothing answers at {address}: {str(error) or type(error).__name__}")


class Door:
    """Where the API is, and how it is asked. It holds no connection: each walk has its own."""

    def __init__(self, address: str, *, tries: int, timeout_seconds: float, agent: str) -> None:
        """Take the address of the API, without a path."""
        self.address = address
        self.tries = tries
        self._timeout_seconds = timeout_seconds
        self._headers = {"User-Agent": agent, "Accept": "application/json"}

    @contextmanager
    def opened(self) -> Iterator[Ask]:
        """Give a way to ask."""
        with httpx.Client(**self._options()) as http:
            yield lambda question: self._ask(http, question)

    @asynccontextmanager
    async def opened_async(self) -> AsyncIterator[AskLater]:
        """Give a way to ask and await the answer."""
        async with httpx.AsyncClient(**self._options()) as http:
            yield lambda question: self._ask_async(http, question)

    def _options(self) -> dict[str, Any]:
        """Return how to ask. Where nothing is encrypted no certificates are read: that takes a while."""
        return {
            "base_url": self.address,
            "timeout": self._timeout_seconds,
            "headers": self._headers,
            "verify": self.address.startswith("https:"),
        }

    def _ask(self, http: httpx.Client, question: Question) -> bytes:
        patience = Patience(self.tries, self.address)
        while True:
            try:
                return body_of(http.get(question.path, params=question.said))
            except (httpx.TransportError, BusyError) as error:
                wait = patience.after(error)
            time.sleep(wait)

    async def _ask_async(self, http: httpx.AsyncClient, question: Question) -> bytes:
        patience = Patience(self.tries, self.address)
        while True:
            try:
                return body_of(await http.get(question.path, params=question.said))
            except (httpx.TransportError, BusyError) as error:
                wait = patience.after(error)
            await asyncio.sleep(wait)


def body_of(response: httpx.Response) -> bytes:
    """Return what was answered; raises RefusedError, or BusyError where it helps to ask again."""
    if response.is_success:
        return response.content
    problem = _problem(response)
    message = ". ".join(said.rstrip(".") for said in (problem.detail, problem.action) if said)
    refused = f"{response.status_code} {problem.title or response.reason_phrase}: {message}".rstrip(": ")
    if response.status_code in _AGAIN:
        raise BusyError(
            refused,
            code=problem.code,
            status=response.status_code,
            retry_after_seconds=_retry_after(response),
        )
    raise RefusedError(refused, code=problem.code, status=response.status_code)


def _problem(response: httpx.Response) -> _Problem:
    try:
        return msgspec.json.decode(response.content, type=_Problem)
    except msgspec.DecodeError:
        return _Problem()


def _retry_after(response: httpx.Response) -> float:
    said = response.headers.get("retry-after", "")
    return min(float(said), _LONGEST_RETRY_AFTER_SECONDS) if said.isdecimal() else 0.0
