"""A new feed begins with its recent past, which the venue's history is asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from db.feeds import WantedFeed
from db.instruments import Listed
from db.jobs import enqueue_recent, give_up_recent, unfinished_recent
from ingest.venues.histories import history
from ingest.venues.registry import venue
from market.tapes import TapeEnd
from market.times import SECOND
from runtime.clock import Clock

if TYPE_CHECKING:
    from db.connections import Connection

_NEW = TapeEnd()


class RecentPast:
    """Asks once for each instrument of which nothing was ever stored. ``ends`` say of which something was.

    Some venues acknowledge a subscription to what they do not have: it is their history that refuses it.
    """

    def __init__(self, ends: Mapping[int, TapeEnd], seconds: float, clock: Clock) -> None:
        self._ends = ends
        self._microseconds = round(seconds * SECOND)
        self._clock = clock
        self._asked: set[int] = set()
        self._waiting: dict[int, str] = {}

    async def fetch(self, connection: "Connection", listed: Listed, wanted: WantedFeed) -> None:
        """Ask for the time before now, in which the feed has begun to be listened to."""
        known = self._ends.get(listed.instrument_id, _NEW) != _NEW or listed.instrument_id in self._asked
        market = listed.instrument.market
        if known or not self._microseconds or not history(wanted.exchange, market, wanted.protocol):
            return
        now = self._clock()
        await enqueue_recent(connection, listed.instrument_id, now - self._microseconds, now)
        self._asked.add(listed.instrument_id)
        self._waiting[listed.instrument_id] = wanted.exchange

    async def refused(self, connection: "Connection") -> Mapping[int, str]:
        """Return what history said of instruments that the venue does not have, and ask for it no more."""
        if not self._waiting:
            return {}
        told = await unfinished_recent(connection, self._waiting)
        exchanges = {each: exchange for each, exchange in self._waiting.items() if each in told}
        refused = {
            each: told[each] for each, exchange in exchanges.items() if venue(exchange).delisted(told[each])
        }
        for instrument_id in refused:
            await give_up_recent(connection, instrument_id)
            self._asked.discard(instrument_id)
        self._waiting = {each: exchange for each, exchange in exchanges.items() if each not in refused}
        return refused
