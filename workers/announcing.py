"""Handing what is committed to the hubs, beside the claims and never in their way."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bus.publishing import Bus
from market.channels import Family
from market.errors import BusUnavailableError
from market.publications import Latest, Publication
from market.times import SECOND
from runtime.clock import now
from runtime.metrics import Metrics
from workers.tracing import Tracer

logger = structlog.get_logger(__name__)

_TRY_AGAIN_AFTER_SECONDS = 0.1


class Announcer:
    """Publishes on the bus, in order, best effort: what a hub is not told it finds in the log.

    What waits is sent together. Of more than ``at_most`` publications that wait, all are let go.
    """

    def __init__(
        self,
        bus: Bus,
        at_most: int = 10_000,
        clock: Callable[[], int] = now,
        *,
        metrics: Metrics | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._bus = bus
        self._tracer = tracer
        self._at_most = at_most
        self._clock = clock
        self._waiting: list[Publication] = []
        self._latest: dict[tuple[int, Family, int], Latest] = {}
        self._renewed: set[int] = set()
        self._news = asyncio.Event()
        self._up = True
        self._closed = False
        self._told = (metrics or Metrics("worker-live")).histogram("heliograph_stage_seconds").labels("told")
        self.unheard = 0
        """Publications that the bus did not take."""
        self.published = 0
        """Those that it took."""
        self.publishing_seconds = 0.0
        """From the commit of each of those to the bus, in sum."""

    def tell(self, publications: Sequence[Publication], latest: Sequence[Latest] = ()) -> None:
        """Publish these soon, after what was told before; newer latest values in place of unsent ones."""
        self._waiting += publications
        self._latest.update({each.slot: each for each in latest})
        if len(self._waiting) > self._at_most:
            self.unheard += len(self._waiting)
            self._waiting = []
        if self._waiting or self._latest:
            self._news.set()

    def renew(self, instrument_id: int) -> None:
        """Have what is kept of an instrument dropped, before anything newer of it is published."""
        self._renewed.add(instrument_id)
        self._news.set()

    async def run(self) -> None:
        """Publish whatever there is, until ``close``."""
        while self._waiting or self._latest or self._renewed or not self._closed:
            await self._news.wait()
            self._news.clear()
            if not await self._send() and not self._closed:
                await asyncio.sleep(_TRY_AGAIN_AFTER_SECONDS)

    def close(self) -> None:
        """End once what waits has been told."""
        self._closed = True
        self._news.set()

    async def _send(self) -> bool:
        publications, self._waiting = self._waiting, []
        latest, self._latest = list(self._latest.values()), {}
        renewed, self._renewed = self._renewed, set()
        if publications or latest or renewed:
            try:
                if renewed:
                    await self._bus.renew(renewed)
                if publications:
                    await self._bus.publish(publications)
                    self._count(publications)
                if latest:
                    await self._bus.latest(latest)
            except BusUnavailableError as error:
                self.unheard += len(publications)
                self._turned(up=False, error=str(error))
                self._try_again(renewed)
            else:
                self._turned(up=True)
        return self._up

    def _try_again(self, renewed: set[int]) -> None:
        """Keep what is to be dropped: a hub finds what it is not told, but the API would not."""
        if renewed and not self._closed:
            self._renewed |= renewed
            self._news.set()

    def _count(self, publications: Sequence[Publication]) -> None:
        at = self._clock()
        self.published += len(publications)
        for each in publications:
            seconds = (at - each.committed_at) / SECOND
            self.publishing_seconds += seconds
            self._told.observe(seconds)
            if self._tracer and each.family is Family.SIGNALS:
                self._trace(self._tracer, each, at)

    @staticmethod
    def _trace(tracer: Tracer, publication: Publication, at: int) -> None:
        """Tell of a signal; whatever goes wrong there, publishing goes on."""
        try:
            tracer.tell(publication, at)
        except Exception:
            logger.exception("trace.failed", offset=publication.offset)

    def _turned(self, *, up: bool, **details: str) -> None:
        if up != self._up:
            logger.warning("bus.available" if up else "bus.unavailable", **details)
        self._up = up
