"""A feed: one venue's market on one connection, made again whenever it breaks."""

import asyncio
from collections.abc import Callable, Iterator, Mapping

import httpx
import structlog

from db.sockets import SocketState
from ingest.intake import Intake
from ingest.routes import Route
from ingest.snapshots import Snapshots
from ingest.sockets import Conversation, Patience, opened
from market.errors import FeedError, SubscriptionRefusedError
from runtime.clock import Clock
from runtime.lifecycle import wait_at_most

logger = structlog.get_logger(__name__)


class Feed:
    """Keeps one connection up and reads it into the buffer."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        route: Route,
        instrument_ids: Mapping[str, int],
        intake: Intake,
        *,
        http: httpx.AsyncClient,
        patience: Patience,
        reconnect_delays: Callable[[], Iterator[float]],
        clock: Clock,
    ) -> None:
        self._route = route
        self._instrument_ids = instrument_ids
        self._intake = intake
        self._patience = patience
        self._reconnect_delays = reconnect_delays
        self._clock = clock
        self._snapshots = Snapshots(http, route.snapshot_urls, reconnect_delays, clock)
        self._conversation: Conversation | None = None
        self._state = "waiting"
        self._detail = ""
        self.connections = 0
        """How often the venue was connected to."""

    def state(self) -> SocketState:
        """Return how the feed does now."""
        talk = self._conversation
        refusals = talk.refusals if talk else []
        return SocketState(
            exchange=self._route.venue.name,
            url=self._route.stream_url,
            state="live" if self._state == "subscribing" and talk and talk.answered else self._state,
            symbols=tuple(each.symbol for each in self._route.instruments),
            last_frame_at=talk.last_frame_at if talk else None,
            detail=self._detail or "; ".join(refusals),
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Read until ``stopping`` is set; what was read by then is in the buffer."""
        delays = self._reconnect_delays()
        time = asyncio.get_running_loop().time
        while not stopping.is_set():
            began = time()
            try:
                await self._connect(stopping)
            except FeedError as error:
                refused = isinstance(error, SubscriptionRefusedError)
                self._become("refused" if refused else "waiting", str(error))
            if time() - began >= self._patience.stable_after_seconds:
                delays = self._reconnect_delays()
            await wait_at_most(stopping, next(delays))
        self._become("stopped", "")

    async def _connect(self, stopping: asyncio.Event) -> None:
        self._become("connecting", "")
        self._conversation = None
        venue = self._route.venue
        decoder = venue.decoder(self._instrument_ids)
        async with opened(self._route.stream_url) as socket:
            self.connections += 1
            self._conversation = Conversation(socket, decoder, self._intake, self._snapshots, self._clock)
            self._become("subscribing", "")
            await self._conversation.run(self._route.script, self._patience, stopping)

    def _become(self, state: str, detail: str) -> None:
        self._state, self._detail = state, detail
        venue, url = self._route.venue.name, self._route.stream_url
        logger.info("feed.changed", exchange=venue, url=url, state=state, detail=detail)
