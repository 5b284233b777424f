"""One connection to a venue: subscribe, read, ask whether it lives, until it closes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from ingest.intake import Intake
from ingest.snapshots import Snapshots
from ingest.venues.venue import FRAMES, Decoded, Decoder, Reason, Rejection, Script
from market.errors import DecodeError, FeedError, SubscriptionRefusedError
from market.times import SECOND
from runtime.clock import Clock

logger = structlog.get_logger(__name__)

_FRAME_BYTES: Final = 64 * 2**20
"""The largest frame taken: a whole book of a busy pair is some 5 MB."""

_FRAMES_AHEAD: Final = 256
"""Frames that the library reads ahead of us; beyond them the socket is not read."""

_RENEW_SECONDS: Final = 5.0
_OPEN_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 2.0


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a connection may be silent, and may leave subscriptions unanswered.

    One that lived for ``stable_after_seconds`` was sound: the next is made without a long wait.
    """

    silence_seconds: float
    acknowledge_within_seconds: float
    look_every_seconds: float = 1.0
    stable_after_seconds: float = 30.0


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[ClientConnection]:
    """Open a socket, without compression and without the library's own pings; raises FeedError.

    Its pings would cut the connection while a full buffer keeps us from reading the answers.
    """
    try:
        async with connect(
            url,
            compression=None,
            ping_interval=None,
            max_size=_FRAME_BYTES,
            max_queue=_FRAMES_AHEAD,
            open_timeout=_OPEN_SECONDS,
            close_timeout=_CLOSE_SECONDS,
        ) as socket:
            yield socket
    except (OSError, TimeoutError, WebSocketException) as error:
        message = f"{url} cannot be read: {type(error).__name__}: {error}"
        raise FeedError(message) from error


class Conversation:
    """What is said on one socket."""

    def __init__(
        self, socket: ClientConnection, decoder: Decoder, intake: Intake, snapshots: Snapshots, clock: Clock
    ) -> None:
        self._socket = socket
        self._decoder = decoder
        self._intake = intake
        self._snapshots = snapshots
        self._clock = clock
        self._unanswered: set[str] = set()
        self._supplying: set[str] = set()
        self._aside: set[asyncio.Task[None]] = set()
        self._heard_at = clock()
        self._reading = False
        self._ended: FeedError | None = None
        self.acknowledged = 0
        """How many subscriptions the venue acknowledged."""
        self.refusals: list[str] = []
        """Why it refused others."""
        self.last_frame_at: int | None = None

    @property
    def answered(self) -> bool:
        """Tell whether every subscription was acknowledged or refused."""
        return not self._unanswered

    async def run(self, script: Script, patience: Patience, stopping: asyncio.Event) -> None:
        """Subscribe, and read until the socket closes; raises FeedError unless ``stopping`` closed it."""
        self._unanswered = {key for subscription in script.subscriptions for key in subscription.keys}
        async with asyncio.TaskGroup() as group:
            self._begin(group.create_task(self._stop(stopping)))
            self._begin(group.create_task(self._watch(patience)))
            closed = await self._read(script, group)
            for task in self._aside:
                task.cancel()
        await self._intake.take(self._decoder.close())
        if not stopping.is_set():
            raise self._ended or closed

    def _begin(self, task: asyncio.Task[None]) -> None:
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def _read(self, script: Script, group: asyncio.TaskGroup) -> FeedError:
        """Return why the socket closed."""
        try:
            for subscription in script.subscriptions:
                await self._socket.send(subscription.message)
            while True:
                self._reading = True
                raw = await self._socket.recv(decode=False)
                self._reading = False
                for symbol in await self._take(raw):
                    self._begin(group.create_task(self._supply(symbol, script, group)))
        except ConnectionClosed as closed:
            return FeedError(f"the venue closed the connection: {closed}")

    async def _take(self, raw: bytes) -> list[str]:
        """Take one frame; return the symbols whose book is wanted and not on its way yet."""
        self._heard_at = self.last_frame_at = self._clock()
        decoded = await self._decoded(raw)
        if decoded.acknowledged or decoded.refused:
            await self._note_answers(decoded)
        wanted = [symbol for symbol in decoded.snapshots_wanted if symbol not in self._supplying]
        self._supplying.update(wanted)
        await self._intake.take(decoded)
        return wanted

    async def _decoded(self, raw: bytes) -> Decoded:
        """Return what a frame says. One that cannot be understood is kept whole, whatever it does to us."""
        undecodable = Decoded(rejections=[Rejection(FRAMES, Reason.UNDECODABLE, raw)])
        try:
            return self._decoder.decode(raw, self.last_frame_at or 0)
        except (DecodeError, RecursionError) as error:
            logger.warning("frame.undecodable", error=str(error))
        except Exception as error:
            # A fault of the decoder, whose books are not trusted any more.
            logger.exception("decoder.failed")
            await self._end(FeedError(f"the decoder failed: {type(error).__name__}: {error}"))
        return undecodable

    async def _note_answers(self, decoded: Decoded) -> None:
        for key in decoded.acknowledged:
            self.acknowledged += key in self._unanswered
            self._unanswered.discard(key)
        for refusal in decoded.refused:
            logger.warning("subscription.refused", key=refusal.key, reason=refusal.reason)
            self.refusals.append(refusal.reason)
            self._unanswered -= {refusal.key} if refusal.key in self._unanswered else self._unanswered.copy()
        if self.answered and not self.acknowledged:
            await self._end(SubscriptionRefusedError("; ".join(self.refusals)))

    async def _supply(self, venue_symbol: str, script: Script, group: asyncio.TaskGroup) -> None:
        """Get a fresh book; what a fetched one made of its updates is taken even when the socket closes."""
        if venue_symbol not in self._snapshots.urls:
            await self._renew(script.renewals[venue_symbol])
            self._supplying.discard(venue_symbol)
            return

        def take(decoded: Decoded) -> None:
            group.create_task(self._intake.take(decoded))

        decoded = await self._snapshots.supply(venue_symbol, self._decoder, take)
        self._supplying.discard(venue_symbol)
        take(decoded)

    async def _renew(self, messages: Sequence[str]) -> None:
        """Ask for the book again; if it is still wanted later, it is asked for once more."""
        try:
            for message in messages:
                await self._socket.send(message)
        except ConnectionClosed:
            return
        await asyncio.sleep(_RENEW_SECONDS)

    async def _stop(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        await self._socket.close()

    async def _end(self, error: FeedError) -> None:
        self._ended = error
        await self._socket.close()

    async def _watch(self, patience: Patience) -> None:
        """Close the socket when its venue answers neither subscriptions nor pings."""
        time = asyncio.get_running_loop().time
        answer_by = time() + patience.acknowledge_within_seconds
        while True:
            await asyncio.sleep(patience.look_every_seconds)
            if not self.answered and time() > answer_by:
                missing = ", ".join(sorted(self._unanswered))
                await self._end(FeedError(f"the venue answered no subscription to {missing}"))
            elif self._silent(patience) and not await self._pong(patience):
                await self._end(FeedError(f"the venue was silent for {patience.silence_seconds:g} s"))

    def _silent(self, patience: Patience) -> bool:
        return self._reading and self._clock() - self._heard_at > patience.silence_seconds * SECOND

    async def _pong(self, patience: Patience) -> bool:
        try:
            async with asyncio.timeout(patience.silence_seconds):
                await (await self._socket.ping())
        except (TimeoutError, ConnectionClosed):
            return False
        self._heard_at = self._clock()
        return True
