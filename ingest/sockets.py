"""One connection to a venue: subscribe, read, ask whether it lives, until it closes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from db.instruments import Listed
from ingest.answers import Answers
from ingest.intake import Intake
from ingest.rosters import Difference, Roster
from ingest.snapshots import Snapshots
from ingest.venues.venue import FRAMES, Decoded, Decoder, Reason, Rejection, Venue
from market.errors import DecodeError, FeedError, SubscriptionRefusedError
from runtime.clock import Clock

logger = structlog.get_logger(__name__)

_RENEW_SECONDS: Final = 5.0


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a connection may be silent, and may leave subscriptions unanswered.

    One that lived for ``stable_after_seconds`` was sound: the next is made without a long wait. What its
    venue refused beside others is asked for again after ``ask_again_after_seconds``.
    """

    silence_seconds: float
    acknowledge_within_seconds: float
    look_every_seconds: float = 1.0
    stable_after_seconds: float = 30.0
    ask_again_after_seconds: float = 60.0


class Conversation:
    """What is said on one socket."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        socket: ClientConnection,
        venue: Venue,
        decoder: Decoder,
        intake: Intake,
        snapshots: Snapshots,
        *,
        clock: Clock,
        refuse: Callable[[Listed, str], None],
    ) -> None:
        self._socket = socket
        self._venue = venue
        self._decoder = decoder
        self._intake = intake
        self._snapshots = snapshots
        self._clock = clock
        self._refuse = refuse
        self._told: dict[str, Listed] = {}
        self._supplying: set[str] = set()
        self._aside: set[asyncio.Task[None]] = set()
        self._time = asyncio.get_running_loop().time
        self._heard_at = self._time()
        self._answer_by = self._ask_again_at = 0.0
        self._reading = False
        self._ended: FeedError | None = None
        self.answers = Answers()
        self.last_frame_at: int | None = None

    def live(self, venue_symbol: str) -> bool:
        """Tell whether the venue has acknowledged everything about a symbol."""
        return (
            venue_symbol in self._told
            and self.answers.accepts(venue_symbol)
            and self._socket.close_code is None
        )

    async def run(self, roster: Roster, patience: Patience, stopping: asyncio.Event) -> None:
        """Subscribe, and read until the socket closes; raises FeedError unless ``stopping`` closed it."""
        async with asyncio.TaskGroup() as group:
            self._begin(group.create_task(self._stop(stopping)))
            self._begin(group.create_task(self._watch(patience, roster)))
            self._begin(group.create_task(self._follow(roster, patience)))
            closed = await self._read(group)
            for task in self._aside:
                task.cancel()
        self._intake.lost()
        await self._intake.take(self._decoder.close())
        if not stopping.is_set():
            raise self._ended or closed

    def _begin(self, task: asyncio.Task[None]) -> None:
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def _follow(self, roster: Roster, patience: Patience) -> None:
        """Tell the venue what is wanted, whenever that changes, and what was asked before is answered.

        What it left unanswered, and after a while what it refused, is asked again, from the start. What
        left and came back meanwhile was never told, and is answered already.
        """
        try:
            while True:
                roster.changed.clear()
                await self._leave([self._told[each] for each in self.answers.silent & self._told.keys()])
                self.answers.forget([each for each in self.answers.silent if each not in roster])
                await self._change(roster.difference(self._told), patience)
                self._tell_answered()
                await roster.changed.wait()
                await self.answers.wait()
        except ConnectionClosed:
            return  # who reads sees it too

    async def _change(self, difference: Difference, patience: Patience) -> None:
        await self._leave(difference.left)
        self.answers.forget([each.instrument.venue_symbol for each in difference.left])
        if difference.joined:
            now = self._time()
            self._answer_by = now + patience.acknowledge_within_seconds
            self._ask_again_at = now + patience.ask_again_after_seconds
            await self._join(difference.joined)

    async def _leave(self, left: Sequence[Listed]) -> None:
        """Unsubscribe. What still comes meanwhile is understood, and stored."""
        for listed in left:
            del self._told[listed.instrument.venue_symbol]
            await self._intake.take(self._decoder.forget(listed.instrument.venue_symbol))
        instruments = [each.instrument for each in left]
        for message in self._venue.unsubscriptions(instruments) if instruments else ():
            await self._socket.send(message)

    async def _join(self, joined: Sequence[Listed]) -> None:
        subscriptions = self._venue.subscriptions([each.instrument for each in joined])
        for listed in joined:
            self._told[listed.instrument.venue_symbol] = listed
            self._decoder.learn(listed.instrument.venue_symbol, listed.instrument_id)
        self.answers.ask(subscriptions, [each.instrument.venue_symbol for each in joined])
        for subscription in subscriptions:
            await self._socket.send(subscription.message)

    async def _read(self, group: asyncio.TaskGroup) -> FeedError:
        """Return why the socket closed."""
        try:
            while True:
                self._reading = True
                raw = await self._socket.recv(decode=False)
                self._reading = False
                for symbol in await self._take(raw):
                    self._begin(group.create_task(self._supply(symbol, group)))
        except ConnectionClosed as closed:
            return FeedError(f"the venue closed the connection: {closed}")

    async def _take(self, raw: bytes) -> list[str]:
        """Take one frame; return the symbols whose book is wanted and not on its way yet."""
        self._heard_at, self.last_frame_at = self._time(), self._clock()
        decoded = await self._decoded(raw)
        if decoded.acknowledged or decoded.refused:
            await self._note_answers(decoded)
        if decoded.broken:
            logger.warning("book.broken", exchange=self._venue.name, instrument_ids=list(decoded.broken))
        wanted = [
            symbol
            for symbol in decoded.snapshots_wanted
            if symbol in self._told and symbol not in self._supplying
        ]
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
        for venue_symbol, reason in self.answers.note(decoded).items():
            logger.warning("subscription.refused", symbol=venue_symbol, reason=reason)
            if venue_symbol in self._told and self._venue.delisted(reason):
                self._refuse(self._told[venue_symbol], reason)
        self._tell_answered()
        if self.answers.complete and not self.answers.acknowledged:
            await self._end(SubscriptionRefusedError("; ".join(sorted(set(self.answers.refused.values())))))

    def _tell_answered(self) -> None:
        live = [each.instrument_id for symbol, each in self._told.items() if self.live(symbol)]
        self._intake.answered(live)

    async def _supply(self, venue_symbol: str, group: asyncio.TaskGroup) -> None:
        """Get a fresh book; what a fetched one made of its updates is taken even when the socket closes."""
        if venue_symbol not in self._snapshots.urls:
            if listed := self._told.get(venue_symbol):
                await self._renew(self._venue.renewal(listed.instrument))
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

    async def end(self, reason: str) -> None:
        """Close the socket, which is of no use for this reason."""
        await self._end(FeedError(reason))

    async def _end(self, error: FeedError) -> None:
        self._ended = error
        await self._socket.close()

    async def _watch(self, patience: Patience, roster: Roster) -> None:
        """Close the socket when its venue, while we read, answers no subscription, or no ping."""
        time = self._time
        while True:
            await asyncio.sleep(patience.look_every_seconds)
            if not self._reading:
                self._answer_by = time() + patience.acknowledge_within_seconds
            elif self.answers.missing and time() > self._answer_by:
                await self._give_up(roster)
            elif self.answers.refused and not self.answers.missing and time() > self._ask_again_at:
                self.answers.reconsider()
                roster.changed.set()
            elif self._silent(patience) and not await self._lives(patience):
                await self._end(FeedError(f"the venue was silent for {patience.silence_seconds:g} s"))

    async def _give_up(self, roster: Roster) -> None:
        """Have the missing asked for again beside what was answered; without that, close the socket."""
        if not self.answers.acknowledged:
            await self._end(FeedError(f"the venue answered no subscription to {self.answers.missing}"))
            return
        logger.warning("subscription.unanswered", exchange=self._venue.name, missing=self.answers.missing)
        self.answers.give_up()
        roster.changed.set()

    def _silent(self, patience: Patience) -> bool:
        return self._reading and self._time() - self._heard_at > patience.silence_seconds

    async def _lives(self, patience: Patience) -> bool:
        """Tell whether a ping is answered, or anything else comes meanwhile."""
        heard_at = self._heard_at
        try:
            async with asyncio.timeout(patience.silence_seconds):
                await (await self._socket.ping())
        except (TimeoutError, ConnectionClosed):
            return self._heard_at > heard_at
        self._heard_at = self._time()
        return True
