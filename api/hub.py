"""One ear on the bus and one eye on the log, for all subscribers of this process.

The hub knows the head of every followed stream: the last offset up to which it has seen all.
The bus only makes it quick. What the bus skips, loses, or never says is read from PostgreSQL.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from itertools import cycle
from typing import Final

import msgspec
import structlog

from api.catalogue import Catalogue
from api.database import Database
from api.formats import Frame
from api.frames import CloseCode
from api.mailbox import Mailbox
from api.outages import Outages
from api.recent import Recent
from api.settings import ApiSettings
from api.showing import Showing
from bus import subjects
from bus.subscribing import Heard, Subscriber
from db import publications as log
from db.instruments import Listed
from db.publications import Bounds, Stream
from market.channels import Family
from market.errors import StoreError
from market.publications import Latest, Publication
from market.times import SECOND
from runtime.clock import now
from runtime.lifecycle import wait_at_most
from runtime.metrics import Metrics

logger = structlog.get_logger(__name__)

_HEARD_A_TURN: Final = 8
"""So many messages in one turn go onto each socket in one write."""

Discovered = Callable[[list[Listed]], None]


class Hub:
    """Hands what is new to the mailboxes of those who follow it, without ever waiting for them."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        subscriber: Subscriber,
        settings: ApiSettings,
        metrics: Metrics,
    ) -> None:
        """Begin with nothing followed."""
        self.catalogue = catalogue
        self.bus_connected = False
        self.closing = False
        self._database = database
        self._subscriber = subscriber
        self._settings = settings
        self.turn = asyncio.Semaphore(max(1, settings.database_connections // 2))
        """Subscribers read PostgreSQL in turns: any number of them leave connections for everybody else."""
        self._epoch: str | None = None
        self._heads: dict[Stream, int] = {}
        self._opening: dict[Stream, int] = {}
        self._followers: dict[Stream, set[Mailbox]] = {}
        self._members: dict[Mailbox, Discovered] = {}
        self._latest: dict[Stream, dict[int, Latest]] = {}
        self._outages = Outages(database, catalogue)
        self._recent = Recent(settings.recent_publications)
        self.showing = Showing(catalogue)
        self._published = metrics.counter("heliograph_publications_sent_total")
        self._refilled = metrics.counter("heliograph_refilled_total")
        self._sending = metrics.histogram("heliograph_sending_seconds")
        self._suspicion = asyncio.Event()
        self._deserted = asyncio.Event()

    async def run(self) -> None:
        """Listen and compare, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._compare())

    async def close(self) -> None:
        """Ask every connection to end, and wait until all have."""
        self.closing = True
        for mailbox in self._members:
            mailbox.end(CloseCode.RESTARTING)
        if self._members:
            await self._deserted.wait()

    def counters(self) -> dict[str, int]:
        """Return what the heartbeat tells of this process."""
        return {"subscribers": len(self._members), "streams": len(self._heads)}

    def deepest(self) -> int:
        """Return how much waits for the subscriber for whom most waits."""
        return max(map(len, self._members), default=0)

    # What connections ask for.

    def join(self, mailbox: Mailbox, discovered: Discovered) -> None:
        """Tell this member of instruments that are listed from now on."""
        self._members[mailbox] = discovered
        if self.closing:
            mailbox.end(CloseCode.RESTARTING)

    def leave(self, mailbox: Mailbox) -> None:
        """Forget a member and what it follows."""
        self._members.pop(mailbox, None)
        if self.closing and not self._members:
            self._deserted.set()
        self.unfollow(mailbox, [s for s, mailboxes in self._followers.items() if mailbox in mailboxes])

    async def refresh(self) -> None:
        """Look for instruments listed meanwhile, and tell the members."""
        fresh = await self.catalogue.refresh()
        if fresh:
            for discovered in list(self._members.values()):
                discovered(fresh)

    async def epoch(self) -> str:
        """Return the name of the log."""
        async with self._database.connection() as connection:
            return await log.epoch(connection)

    async def since(self, moments: Mapping[Stream, int]) -> Mapping[Stream, int]:
        """Return the offset after which each stream has what was published at its moment or later."""
        async with self._database.connection() as connection:
            ends = await log.bounds(connection, moments)
            return await log.since(connection, moments, ends)

    async def follow(self, mailbox: Mailbox, streams: Iterable[Stream]) -> Mapping[Stream, Bounds]:
        """Follow streams of the log; return where each begins and ends in PostgreSQL.

        When this returns their heads are known, and nothing has been handed out since.
        """
        wanted = list(streams)
        for stream in wanted:
            self._opening.setdefault(stream, 0)
        async with self._database.connection() as connection:
            bounds = await log.bounds(connection, wanted)
        for stream in wanted:
            self.open(mailbox, stream, bounds[stream].last)
        return bounds

    def open(self, mailbox: Mailbox, stream: Stream, last: int) -> None:
        """Follow a stream whose log ends at ``last``, or later by now."""
        head = self._heads.setdefault(stream, last)
        self._followers.setdefault(stream, set()).add(mailbox)
        if self._opening.pop(stream, last + 1) > head:
            self._suspicion.set()

    def follow_latest(self, mailbox: Mailbox, stream: Stream) -> None:
        """Hand latest values to the mailbox, first those that are known."""
        self._followers.setdefault(stream, set()).add(mailbox)
        for latest in self._latest.get(stream, {}).values():
            mailbox.offer(stream, latest)
        if stream.family is Family.COVERAGE:
            for latest in self._outages.follow(stream.instrument_id):
                mailbox.offer(stream, latest)
            self._suspicion.set()

    def unfollow(self, mailbox: Mailbox, streams: Iterable[Stream]) -> None:
        """Hand nothing more of these streams to the mailbox."""
        for stream in streams:
            followers = self._followers.get(stream, set())
            followers.discard(mailbox)
            if not followers:
                self._followers.pop(stream, None)
                self._heads.pop(stream, None)
                self._recent.forget(stream)
                if stream.family is Family.COVERAGE:
                    self._outages.forget(stream.instrument_id)

    def head(self, stream: Stream) -> int:
        """Return the last offset up to which everything is known here."""
        return self._heads.get(stream, 0)

    async def page(self, stream: Stream, offset: int) -> list[tuple[int, Frame]]:
        """Return the next frames beyond ``offset`` with their offsets: from memory, or from the log."""
        at_most = self._settings.page_publications
        frames = self._recent.after(stream, offset, at_most)
        if frames is not None:
            return list(enumerate(frames, offset + 1))
        showing = self.showing
        showing.channel(stream)  # by the catalogue as it is now; another log may list other instruments
        async with self.turn, self._database.connection() as connection:
            page = await log.beyond(connection, {stream: offset}, at_most)
        return [(publication.offset, showing.publication(publication)) for publication in page]

    # The ear.

    async def _listen(self) -> None:
        turns = cycle(range(_HEARD_A_TURN))
        async for heard in self._subscriber.listen():
            try:
                self._hear(heard)
            except msgspec.DecodeError as error:
                logger.warning("bus.garbage", subject=heard.subject, error=str(error))
            if not next(turns):
                await asyncio.sleep(0)  # the bus may have more at once, and senders want their turn

    def _hear(self, heard: Heard) -> None:
        if heard.subject == subjects.PUBLICATIONS:
            for publication in subjects.decode_publications(heard.data):
                self._take(publication)
        elif heard.subject == subjects.LATEST:
            for latest in subjects.decode_latest(heard.data):
                self._take_latest(latest)
        else:
            self.bus_connected = heard.connected
            self._suspicion.set()

    def _take(self, publication: Publication) -> None:
        stream = Stream(publication.instrument_id, publication.family)
        head = self._heads.get(stream)
        if head is None:
            self._miss(stream, publication.offset)
        elif publication.offset == head + 1:
            self._advance(stream, publication)
        elif publication.offset > head:
            logger.debug(
                "stream.skipped", channel=self.showing.channel(stream), head=head, heard=publication.offset
            )
            self._suspicion.set()

    def _miss(self, stream: Stream, offset: int) -> None:
        if stream in self._opening:
            self._opening[stream] = max(offset, self._opening[stream])
        elif stream.instrument_id not in self.catalogue:
            self._suspicion.set()

    def _advance(self, stream: Stream, publication: Publication) -> None:
        frame = self.showing.publication(publication)
        self._heads[stream] = publication.offset
        self._recent.add(stream, publication.offset, frame)
        sent = sum(mailbox.publish(stream, publication.offset, frame) for mailbox in self._followers[stream])
        if sent:
            self._published.labels(stream.family).inc(sent)
            self._sending.observe((now() - frame.heard_at) / SECOND)

    def _take_latest(self, latest: Latest) -> None:
        stream = Stream(latest.instrument_id, latest.family)
        if latest.family is Family.COVERAGE:
            if self._outages.hear(latest):
                self._suspicion.set()
            return
        known = self._latest.setdefault(stream, {})
        *_, slot = latest.slot
        if slot in known and not latest.outdates(known[slot]):
            return
        known[slot] = latest
        if stream.instrument_id not in self.catalogue:
            self._suspicion.set()
        self._offer(stream, latest)

    def _offer(self, stream: Stream, latest: Latest) -> None:
        self.showing.show(latest)
        for mailbox in self._followers.get(stream, ()):
            mailbox.offer(stream, latest)

    # The eye.

    async def _compare(self) -> None:
        while True:
            await self._until_due()
            try:
                await self._recognise()
                await self.refresh()
                await self._catch_up()
                for latest in await self._outages.look():
                    self._offer(Stream(latest.instrument_id, latest.family), latest)
            except StoreError as error:
                logger.warning("log.unreadable", error=str(error))
                await asyncio.sleep(self._settings.compare_without_bus_seconds)

    async def _until_due(self) -> None:
        connected = self.bus_connected
        every = self._settings.compare_seconds if connected else self._settings.compare_without_bus_seconds
        await wait_at_most(self._suspicion, every)
        self._suspicion.clear()

    async def _recognise(self) -> None:
        """Part from everybody when the log is another one, as after a restore: offsets mean other things."""
        epoch = await self.epoch()
        if self._epoch not in (None, epoch):
            logger.warning("log.replaced", was=self._epoch, now=epoch)
            await self.catalogue.reread()
            self._heads.clear()
            self._latest.clear()
            self._recent = Recent(self._settings.recent_publications)
            self._outages = Outages(self._database, self.catalogue)
            self.showing = Showing(self.catalogue)
            for mailbox in self._members:
                mailbox.end(CloseCode.LOG_REPLACED)
        self._epoch = epoch

    async def _catch_up(self) -> None:
        at_most = self._settings.page_publications
        behind = dict(self._heads)
        while behind:
            async with self._database.connection() as connection:
                page = await log.beyond(connection, behind, at_most)
            for publication in page:
                self._refill(publication)
            behind = self._unfinished(page, at_most)

    def _refill(self, publication: Publication) -> None:
        stream = Stream(publication.instrument_id, publication.family)
        if publication.offset > self._heads.get(stream, publication.offset):
            self._refilled.inc()
            self._advance(stream, publication)

    def _unfinished(self, page: list[Publication], at_most: int) -> dict[Stream, int]:
        counts: dict[Stream, int] = {}
        for publication in page:
            stream = Stream(publication.instrument_id, publication.family)
            counts[stream] = counts.get(stream, 0) + 1
        full = [stream for stream, count in counts.items() if count == at_most]
        return {stream: self._heads[stream] for stream in full if stream in self._heads}
