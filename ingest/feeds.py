"""A connection to one market of a venue, made again whenever it breaks."""

import asyncio
from collections.abc import Callable, Iterator

import structlog
from websockets.asyncio.client import ClientConnection

from db.instruments import Listed
from db.sockets import SocketState
from ingest.connecting import opened
from ingest.intake import Intake
from ingest.outbound.outbound import Outbound
from ingest.rooms import Room
from ingest.rosters import Roster
from ingest.routes import Route
from ingest.sampling import EVERY, Sampling
from ingest.snapshots import Snapshots
from ingest.sockets import Conversation, Patience
from ingest.standings import Books, BookState
from ingest.turns import Turns
from ingest.venues.reach import reach
from market.errors import FeedError, SubscriptionRefusedError
from market.gaps import Silent
from runtime.clock import Clock
from runtime.lifecycle import wait_at_most

logger = structlog.get_logger(__name__)

Refuse = Callable[[Listed, str], None]
"""Told of an instrument that the venue does not have, and the venue's reason."""


class Feed:
    """Keeps one connection up and reads it into the buffer; its instruments may come and go."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        route: Route,
        intake: Intake,
        *,
        sampling: Sampling = EVERY,
        room: Room | None = None,
        number: int = 1,
        outbound: Outbound,
        patience: Patience,
        reconnect_delays: Callable[[], Iterator[float]],
        clock: Clock,
        refuse: Refuse,
    ) -> None:
        self._route = route
        self._venue = route.venue
        self._intake = intake
        self._number = number
        self._patience = patience
        self._reconnect_delays = reconnect_delays
        self._clock = clock
        self._refuse = refuse
        self._roster = Roster()
        self._books = Books(sampling, room)
        self._urls: dict[str, str] = {}
        self._outbound = outbound
        self._reach = reach(route.exchange, route.market)
        self._snapshots = Snapshots(
            outbound, self._reach, route.rest_base, self._urls, reconnect_delays, clock
        )
        self._conversation: Conversation | None = None
        self._last_frame_at: int | None = None
        self._addresses = Turns(route.stream_urls)
        self._state = "waiting"
        self._detail = ""
        self.connections = 0
        """How often the venue was connected to."""

    def __len__(self) -> int:
        """Return how many instruments it is to carry."""
        return len(self._roster)

    @property
    def has_room(self) -> bool:
        """Tell whether the venue lets one connection carry one more."""
        return len(self._roster) < self._venue.symbols_per_connection

    def add(self, listed: Listed) -> None:
        """Carry an instrument, from now on if there is a connection."""
        url = self._route.snapshot_url(listed.instrument)
        if url is not None:
            self._urls[listed.instrument.venue_symbol] = url
        self._intake.join(listed.instrument_id)
        self._roster.add(listed)

    def remove(self, listed: Listed) -> None:
        """Carry an instrument no more."""
        self._urls.pop(listed.instrument.venue_symbol, None)
        self._roster.remove(listed.instrument.venue_symbol)
        self._intake.leave(listed.instrument_id)

    def live(self, listed: Listed) -> bool:
        """Tell whether the venue has acknowledged all subscriptions of an instrument."""
        return self._conversation is not None and self._conversation.live(listed.instrument.venue_symbol)

    def muted(self) -> list[Silent]:
        """Return the streams that are silent against their habit."""
        return self._intake.muted()

    def mute_books(self) -> list[int]:
        """Return the instruments that traded while their book was silent against its habit."""
        return self._intake.mute_books()

    def was_quiet(self, instrument_id: int, after_id: int | None) -> None:
        """Learn that an instrument that seemed mute had not traded since ``after_id``."""
        self._intake.was_quiet(instrument_id, after_id)

    async def renew(self, reason: str) -> None:
        """Make the connection again, if there is one."""
        if self._conversation:
            await self._conversation.end(reason)

    def state(self) -> SocketState:
        """Return how the connection does now."""
        talk = self._conversation
        live = self._state == "subscribing" and talk and talk.answers.settled
        return SocketState(
            exchange=self._route.exchange,
            url=self._addresses.current,
            number=self._number,
            state="live" if live else self._state,
            symbols=tuple(each.instrument.symbol for each in self._roster),
            last_frame_at=(talk and talk.last_frame_at) or self._last_frame_at,
            detail=self._detail or (talk.answers.troubles if talk else ""),
        )

    def books(self) -> Iterator[BookState]:
        """Yield how the books stand."""
        for each in self._roster:
            if standing := self._books.standings.get(each.instrument_id):
                yield BookState.of(self._route.exchange, each.instrument.symbol, standing)

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
        self._last_frame_at = self.state().last_frame_at
        self._become("connecting", "")
        self._conversation = None
        limit, base = self._reach.connections, self._route.stream_base
        breaker = await self._outbound.connecting(self._addresses.current, limit, base)
        try:
            async with opened(self._addresses.current) as socket:
                breaker.succeeded()
                await self._converse(socket, stopping)
        except FeedError:
            if self._conversation is None:
                breaker.failed()
            if not self._served():
                self._addresses.failed()
            raise

    def _served(self) -> bool:
        """Tell whether the venue acknowledged anything on the last connection."""
        return self._conversation is not None and self._conversation.answers.acknowledged > 0

    async def _converse(self, socket: ClientConnection, stopping: asyncio.Event) -> None:
        self.connections += 1
        self._conversation = Conversation(
            socket,
            self._venue,
            self._venue.decoder({}, self._books),
            self._intake,
            self._snapshots,
            clock=self._clock,
            refuse=self._refuse,
        )
        self._become("subscribing", "")
        await self._conversation.run(self._roster, self._patience, stopping)

    def _become(self, state: str, detail: str) -> None:
        self._state, self._detail = state, detail
        venue, url = self._route.exchange, self._addresses.current
        logger.info("feed.changed", exchange=venue, url=url, state=state, detail=detail)
