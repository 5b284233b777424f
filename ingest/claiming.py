"""Which feeds this process listens to: its share of those that are wanted."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from db import feeds
from db.connections import connected
from db.feeds import WantedFeed
from db.holdings import Holder, Lock, Session
from db.instruments import Listed
from ingest.naming import instrument_named
from ingest.routes import Route
from ingest.sharing import moves
from ingest.switchboard import Switchboard
from market.addresses import demand_addresses
from market.errors import ConfigurationError, InvalidInputError, StoreError
from market.instruments import Instrument
from runtime.lifecycle import wait_at_most

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS: Final = 1.0
_TRY_AGAIN_AFTER_SECONDS: Final = 0.2

_RETURN_SECONDS: Final = 3.0
"""After PostgreSQL was lost: time for all to come back to their feeds before any is free to take."""

_ANSWER_SECONDS: Final = 10.0
"""A connection on which nothing is answered for so long is lost."""

_HAND_OVER_SECONDS: Final = 2.0
"""At the end: time for others to listen to our feeds before we stop."""


class Admission(Protocol):
    """Prepares everything for the ticks of instruments, before there are any."""

    async def __call__(
        self, connection: "Connection", instruments: Sequence[Instrument], /
    ) -> Mapping[str, Listed]:
        """Return the instruments as they are listed, by key; raises StoreError."""


class Welcome(Protocol):
    """Does what is to be done once for a feed, when it is listened to. Its methods raise StoreError."""

    async def fetch(self, connection: "Connection", listed: Listed, wanted: WantedFeed) -> None:
        """Do it, or do nothing where it was done before."""

    async def refused(self, connection: "Connection") -> Mapping[int, str]:
        """Return why which instruments, by id, turned out to be none of their venue's."""


class Claimer:
    """Follows the table of feeds and the other ingesters, once a second and whenever it is told to look.

    What is listened to is not stopped when PostgreSQL is lost: the locks are taken again, and what
    others have by then is left to them.
    """

    def __init__(
        self,
        url: str,
        switchboard: Switchboard,
        *,
        admit: Admission,
        welcome: Welcome,
        saturated: Callable[[], bool],
    ) -> None:
        self._url = url
        self._switchboard = switchboard
        self._admit = admit
        self._welcome = welcome
        self._saturated = saturated
        self._wanted: dict[int, WantedFeed] = {}
        self._owned: set[int] = set()
        self._inherited: set[int] = set()
        self._ready: set[int] = set()
        self._lost: set[int] = set()
        self._session: Session | None = None
        self._expected: dict[int, Listed] = {}
        self._closing: dict[int, str] = {}
        self._look = asyncio.Event()
        self._may_take_at = 0.0
        self._drained = asyncio.Event()
        self.handed_over = asyncio.Event()
        """Set at the end, when others listen to our feeds, or nobody can."""

    @property
    def owned(self) -> int:
        """Return how many feeds are this process's own."""
        return len(self._owned)

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow until ``stopping`` is set; hand over, and keep what is left until ``close``."""
        while not stopping.is_set():
            try:
                async with connected(self._url, "heliograph ingest feeds") as connection:
                    await self._follow(connection, stopping)
            except (StoreError, TimeoutError) as error:
                logger.warning("feeds.unclaimed", error=str(error), feeds=len(self._owned))
                self._may_take_at = asyncio.get_running_loop().time() + _RETURN_SECONDS
                await wait_at_most(stopping, _TRY_AGAIN_AFTER_SECONDS)
        self.handed_over.set()

    def close(self) -> None:
        """Let go of all feeds: what was read is committed."""
        self._drained.set()

    async def _follow(self, connection: "Connection", stopping: asyncio.Event) -> None:
        holder = Holder(connection)
        async with asyncio.timeout(_ANSWER_SECONDS):
            await connection.add_listener(feeds.CHANNEL, self._hear)
            await self._return(holder)
            await holder.join()
        while not stopping.is_set():
            self._look.clear()
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._round(connection, holder)
            await self._wait(stopping)
        async with asyncio.timeout(_ANSWER_SECONDS):
            await self._hand_over(holder)
        self.handed_over.set()
        await self._drained.wait()

    def _hear(self, *_: Any) -> None:
        self._look.set()

    async def _wait(self, stopping: asyncio.Event) -> None:
        """Wait until it is time to look, or somebody says so, or we are told to stop."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._look, stopping)]
        try:
            await asyncio.wait(waits, timeout=_LOOK_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _return(self, holder: Holder) -> None:
        """Take the locks of what we listen to; what others took meanwhile is theirs.

        Should this session be lost too, what it did not come to is still to be settled.
        """
        self._lost |= self._held()
        self._owned, self._inherited, self._ready = set(), set(), set()
        if self._session:
            await holder.end(self._session)
        self._session = await holder.identify()
        for feed_id in sorted(self._lost):
            if await holder.try_lock(Lock.OWNER, feed_id):
                self._owned.add(feed_id)
            else:
                self._stop(feed_id, "another has it")
            self._lost.discard(feed_id)

    async def _round(self, connection: "Connection", holder: Holder) -> None:
        """Do what is to be done now."""
        await self._close_refused(connection)
        wanted = await holder.wanted()
        await self._drop(holder, self._unwanted(wanted))
        self._wanted = wanted
        await self._complete(holder)
        await self._claim(holder)
        await self._listen(connection)
        await self._welcome_all(connection)

    def _unwanted(self, wanted: dict[int, WantedFeed]) -> list[int]:
        """Return what is held and wanted no more, or otherwise than before."""
        return [feed_id for feed_id in self._held() if wanted.get(feed_id) != self._wanted.get(feed_id)]

    async def _drop(self, holder: Holder, feed_ids: Iterable[int]) -> None:
        for feed_id in feed_ids:
            self._stop(feed_id, "not wanted any more")
            await self._release(holder, feed_id)

    async def _complete(self, holder: Holder) -> None:
        """Say which inherited feeds are listened to, and own those that nobody else does any more."""
        for feed_id in sorted(self._inherited):
            if feed_id not in self._ready and self._switchboard.live(feed_id):
                await holder.try_lock(Lock.READY, feed_id)
                self._ready.add(feed_id)
                await holder.notify()
            if await holder.try_lock(Lock.OWNER, feed_id):
                self._owned.add(feed_id)
                await self._release_heir(holder, feed_id)
                logger.info("feed.inherited", feed=str(self._wanted[feed_id].name))

    async def _claim(self, holder: Holder) -> None:
        """Give up what heirs listen to by now, and take what is ours to take."""
        found = moves(self._wanted, await holder.holdings(), holder.session)
        for feed_id in found.cede:
            self._stop(feed_id, "its heir listens")
            await self._release(holder, feed_id)
        if found.cede:
            await holder.notify()
        if not self._saturated() and asyncio.get_running_loop().time() >= self._may_take_at:
            room = await self._lock(holder, Lock.OWNER, found.take, found.room, self._owned)
            await self._lock(holder, Lock.HEIR, found.inherit, room, self._inherited)

    async def _lock(
        self, holder: Holder, lock: Lock, feed_ids: Iterable[int], room: int, into: set[int]
    ) -> int:
        """Take so many locks as there is room for; return the room that is left."""
        for feed_id in feed_ids:
            if room and feed_id not in into and await holder.try_lock(lock, feed_id):
                into.add(feed_id)
                room -= 1
        return room

    async def _listen(self, connection: "Connection") -> None:
        """Connect what is held and not listened to yet."""
        named = self._named(sorted(self._held() - self._switchboard.carried() - self._closing.keys()))
        if not named:
            return
        listed = await self._admit(connection, list(named.values()))
        for feed_id, instrument in named.items():
            self._switchboard.connect(feed_id, Route.of(self._wanted[feed_id]), listed[instrument.key])
            self._expected[feed_id] = listed[instrument.key]
            logger.info("feed.taken", feed=instrument.key, owner=feed_id in self._owned)

    async def _welcome_all(self, connection: "Connection") -> None:
        """Do what is to be done for feeds that are listened to by now."""
        for feed_id, listed in list(self._expected.items()):
            if self._switchboard.live(feed_id):
                await self._welcome.fetch(connection, listed, self._wanted[feed_id])
                del self._expected[feed_id]

    def _named(self, feed_ids: Iterable[int]) -> dict[int, Instrument]:
        """Return the instruments of these feeds; one that can be had nowhere is closed soon."""
        named = {}
        for feed_id in feed_ids:
            feed = self._wanted[feed_id]
            try:
                demand_addresses(feed.stream_url, feed.rest_url)
                named[feed_id] = instrument_named(feed.exchange, feed.symbol, feed.protocol)
            except (InvalidInputError, ConfigurationError) as error:
                self._closing[feed_id] = str(error)
                self._look.set()
        return named

    async def _close_refused(self, connection: "Connection") -> None:
        """Give up for all what its venue does not have."""
        for instrument_id, reason in (await self._welcome.refused(connection)).items():
            self._switchboard.refuse(instrument_id, reason)
        self._closing |= self._switchboard.refused
        for feed_id, reason in list(self._closing.items()):
            await feeds.close(connection, feed_id, reason)
            logger.warning("feed.closed", feed_id=feed_id, reason=reason)
            del self._closing[feed_id]

    async def _hand_over(self, holder: Holder) -> None:
        """Let others become the heirs of our feeds, as long as there are others and there is time."""
        await holder.leave()
        await holder.notify()
        end = asyncio.get_running_loop().time() + _HAND_OVER_SECONDS
        while self._owned and asyncio.get_running_loop().time() < end:
            holdings = await holder.holdings()
            if not holdings.present:
                return
            for feed_id in moves(self._wanted, holdings, holder.session).cede:
                self._stop(feed_id, "its heir listens")
                await self._release(holder, feed_id)
            self._look.clear()
            await wait_at_most(self._look, _TRY_AGAIN_AFTER_SECONDS)

    def _held(self) -> set[int]:
        return self._owned | self._inherited

    def _stop(self, feed_id: int, why: str) -> None:
        logger.info("feed.left", feed_id=feed_id, why=why)
        self._switchboard.disconnect(feed_id)
        self._expected.pop(feed_id, None)

    async def _release(self, holder: Holder, feed_id: int) -> None:
        if feed_id in self._owned:
            self._owned.discard(feed_id)
            await holder.unlock(Lock.OWNER, feed_id)
        await self._release_heir(holder, feed_id)

    async def _release_heir(self, holder: Holder, feed_id: int) -> None:
        for lock, held in ((Lock.READY, self._ready), (Lock.HEIR, self._inherited)):
            if feed_id in held:
                held.discard(feed_id)
                await holder.unlock(lock, feed_id)
