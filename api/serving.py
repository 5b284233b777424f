"""The server of the API: uvicorn, as a service among others."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog
import uvicorn

from api import app
from api.settings import ApiSettings
from api.state import State
from api.wire import wire
from api.writing import Wired
from market.errors import ConfigurationError

logger = structlog.get_logger(__name__)

_GRACE_SECONDS = 1.0
_BACKLOG = 2048


class _Server(uvicorn.Server):
    """Leaves signals to the process's lifecycle."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


class Server:
    """Serves a state on a socket until it is told to stop; then subscribers are asked to come back."""

    def __init__(self, state: State, listener: socket.socket) -> None:
        """Take a socket that is bound already."""
        self._state = state
        self._listener = listener
        self._server = _Server(_config(state))

    @property
    def url(self) -> str:
        """Return where the API is served."""
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until ``stopping`` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._server.serve(sockets=[self._listener]))
            logger.info("api.listening", url=self.url)
            await stopping.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_SECONDS):
                    await self._state["hub"].close()
            self._server.should_exit = True


def bind(settings: ApiSettings) -> socket.socket:
    """Return a socket that listens where it is configured; raises ConfigurationError when that is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        message = f"cannot listen on {where}: {error.strerror}; set HELIOGRAPH_API_HOST, HELIOGRAPH_API_PORT"
        raise ConfigurationError(message) from error
    return listener


def _config(state: State) -> uvicorn.Config:
    settings = state["settings"]
    trusted = frozenset(settings.proxies) if settings.proxy_headers else frozenset[str]()
    return uvicorn.Config(
        app.create(state),
        loop="none",
        http=wire(settings, trusted),
        ws=Wired,
        ws_max_size=settings.max_frame_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=settings.stalled_seconds,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=settings.proxy_headers,
        forwarded_allow_ips=list(settings.proxies),
        timeout_graceful_shutdown=1,
    )
