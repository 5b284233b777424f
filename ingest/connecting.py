"""Opening a socket to a venue."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from ingest.diagnosing import LOOPBACK, refusal_of
from market.errors import FeedError

_FRAME_BYTES: Final = 64 * 2**20
"""The largest frame taken: a whole book of a busy pair is some 5 MB."""

_FRAMES_AHEAD: Final = 256
"""Frames that the library reads ahead of us; beyond them the socket is not read."""

_OPEN_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 2.0


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[ClientConnection]:
    """Open a socket, without compression and without the library's own pings; raises FeedError.

    Its pings would cut the connection while a full buffer keeps us from reading the answers.
    """
    try:
        async with AsyncExitStack() as stack:
            yield await _socket(url, stack)
    except (OSError, TimeoutError, WebSocketException, ImportError) as error:
        raise refusal_of(url, error) from error


async def _socket(url: str, stack: AsyncExitStack) -> ClientConnection:
    """Return a socket that ``stack`` closes. A ValueError of the library's is about the address."""
    try:
        connecting = connect(
            url,
            compression=None,
            ping_interval=None,
            max_size=_FRAME_BYTES,
            max_queue=_FRAMES_AHEAD,
            open_timeout=_OPEN_SECONDS,
            close_timeout=_CLOSE_SECONDS,
            proxy=None if urlsplit(url).hostname in LOOPBACK else True,
        )
        return await stack.enter_async_context(connecting)
    except ValueError as error:
        message = f"{url} cannot be read: {error}"
        raise FeedError(message) from error
