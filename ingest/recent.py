"""A new feed begins with its recent past, which the venue's history is asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from db.feeds import WantedFeed
from db.instruments import Listed
from db.jobs import enqueue_recent
from ingest.venues.histories import history
from market.tapes import TapeEnd
from market.times import SECOND
from runtime.clock import Clock

if TYPE_CHECKING:
    from db.connections import Connection

_NEW = TapeEnd()


class RecentPast:
    """Asks once for each instrument of which nothing was ever stored. ``ends`` say of which something was."""

    def __init__(self, ends: Mapping[int, TapeEnd], seconds: float, clock: Clock) -> None:
        self._ends = ends
        self._microseconds = round(seconds * SECOND)
        self._clock = clock
        self._asked: set[int] = set()

    async def fetch(self, connection: "Connection", listed: Listed, wanted: WantedFeed) -> None:
        """Ask for the time before now, in which the feed has begun to be listened to."""
        known = self._ends.get(listed.instrument_id, _NEW) != _NEW or listed.instrument_id in self._asked
        market = listed.instrument.market
        if known or not self._microseconds or not history(wanted.exchange, market, wanted.protocol):
            return
        now = self._clock()
        await enqueue_recent(connection, listed.instrument_id, now - self._microseconds, now)
        self._asked.add(listed.instrument_id)
