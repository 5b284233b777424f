"""A small port for roles that serve nothing else: /metrics, /health/live, /health/ready."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime import vitals
from runtime.metrics import Metrics
from runtime.settings import RuntimeSettings
from runtime.vitals import Beating

logger = structlog.get_logger(__name__)

_READY_WITHIN_SECONDS = 10.0


class _Server(uvicorn.Server):
    """Leaves signals to the process's lifecycle."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


class Exporter:
    """Answers on the role's own port; where another has that, the role does its work all the same."""

    def __init__(self, settings: RuntimeSettings, metrics: Metrics, heartbeat: Beating) -> None:
        self._settings = settings
        self._metrics = metrics
        self._heartbeat = heartbeat
        self.port = settings.metrics_port
        """Where it answers; once it runs, of a port that was left to the system, the one that it gave."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Answer until ``stopping`` is set."""
        if self._settings.metrics_port is None:
            return
        try:
            listener = socket.create_server((self._settings.metrics_host, self._settings.metrics_port))
        except OSError as error:
            logger.warning("metrics.port_taken", port=self._settings.metrics_port, error=str(error))
            return
        self.port = listener.getsockname()[1]
        await self._serve(listener, stopping)

    async def _serve(self, listener: socket.socket, stopping: asyncio.Event) -> None:
        config = uvicorn.Config(
            self.application(), loop="none", lifespan="off", ws="none", access_log=False, log_config=None
        )
        server = _Server(config)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            logger.info("metrics.listening", port=self.port)
            await stopping.wait()
            server.should_exit = True

    def application(self) -> Starlette:
        """Return what answers."""
        return Starlette(
            routes=[
                Route("/metrics", self._tell),
                Route("/health/live", self._live),
                Route("/health/ready", self._ready),
            ]
        )

    async def _tell(self, _request: Request) -> Response:
        vitals.measure(self._metrics, self._heartbeat)
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def _live(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "role": self._metrics.role})

    async def _ready(self, _request: Request) -> Response:
        age = self._heartbeat.age_seconds()
        is_ready = age is not None and age < _READY_WITHIN_SECONDS
        problem = "" if is_ready else "PostgreSQL has not been told of this process lately; is it there?"
        told = {"status": "ok" if is_ready else "down", "role": self._metrics.role, "problem": problem}
        return JSONResponse(told, status_code=200 if is_ready else 503)
