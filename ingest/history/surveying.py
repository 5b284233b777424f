"""Where times lie on a venue's tape: looked for with few requests."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from ingest.history.seeking import Seek, Spot
from ingest.venues.history import History, Order, Page, Stretch
from market.times import HOUR, SECOND
from market.trades import Trade

_FOR_EVER: Final = 2**62
_STEPS_BACK: Final = (HOUR // 60, HOUR, 24 * HOUR)
"""How far before a time a trade is looked for where there is none after it, on venues asked by time."""

Look = Callable[[Stretch, str], Awaitable[Page]]


class Edge(NamedTuple):
    """A time on the tape: the id of the first trade from there on, or the next one that will be.

    ``begins_at`` is the time of the first trade of all where that is not before the time: then nothing is.
    """

    trade_id: int
    begins_at: int | None


class Survey:
    """Looks at one instrument's tape through ``look``, whatever stretch is wanted of it."""

    def __init__(self, look: Look, history: History, wanted: Stretch) -> None:
        self._look = look
        self._history = history
        self._everything = msgspec.structs.replace(
            wanted, from_ts=0, to_ts=_FOR_EVER, after_id=None, before_id=None
        )
        self.asked = 0

    async def edge(self, ts: int) -> Edge | None:
        """Return where a time lies; None on a tape that has no trade, as far as can be seen."""
        if self._history.order is Order.BY_TIME:
            return await self._timed(ts)
        upwards = self._history.order is Order.UPWARDS
        seek = await self.sought(Seek(ts=ts, page=self._history.limit, upwards=upwards))
        if seek.low is None and seek.high is None:
            return None
        begins_at = seek.high.ts if seek.low is None and seek.high else None
        return Edge(seek.high.trade_id if seek.high else seek.top, begins_at)

    async def sought(self, seek: Seek) -> Seek:
        """Return the search at its end."""
        async for narrower in self.narrowed(seek):
            seek = narrower
        return seek

    async def narrowed(self, seek: Seek) -> AsyncIterator[Seek]:
        """Yield the search after each answer, to its end."""
        while not seek.found:
            seek = seek.seen(await self._at(seek.guess))
            yield seek

    async def before(self, trade_id: int) -> Sequence[Trade]:
        """Return trades before one, as far as the venue remembers any."""
        upwards = self._history.order is Order.UPWARDS
        found = await self._at(max(trade_id - (self._history.limit if upwards else 1), 0))
        return [trade for trade in found if trade.trade_id < trade_id]

    async def _at(self, trade_id: int | None) -> Sequence[Trade]:
        self.asked += 1
        position = "" if trade_id is None else self._history.position(trade_id)
        return (await self._look(self._everything, position)).trades

    async def _timed(self, ts: int) -> Edge | None:
        after = await self._since(ts)
        if after:
            oldest = await self._since(0)
            begins_at = oldest[0].ts if oldest and oldest[0].ts >= ts else None
            return Edge(after[0].trade_id, begins_at)
        for back in _STEPS_BACK:
            if before := await self._since(ts - back):
                return Edge(before[-1].trade_id + 1, None)
        return None

    async def _since(self, ts: int) -> list[Spot]:
        self.asked += 1
        since = msgspec.structs.replace(self._everything, from_ts=max(ts, SECOND))
        found = (await self._look(since, "")).trades
        return sorted((Spot(trade.trade_id, trade.ts) for trade in found), key=_time)


def _time(spot: Spot) -> int:
    return spot.ts
