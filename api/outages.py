"""What subscribers are told of gaps: read from PostgreSQL; the bus only says that it is time to look."""

from collections.abc import Iterator
from typing import Final

from api.catalogue import Catalogue
from api.database import Database
from db import gaps
from market.gaps import Gap, GapState
from market.publications import Latest
from market.texts import Name, gap_change

_ENDED_REMEMBERED: Final = 1000
_UNSETTLED: Final = (GapState.OPEN, GapState.HEALING)


class Outages:
    """The gaps of followed instruments as their subscribers know them."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        """Begin with no instrument followed."""
        self._database = database
        self._catalogue = catalogue
        self._standing: dict[int, dict[int, Latest]] = {}
        self._ended: dict[int, str] = {}
        self._hinted: set[int] = set()
        self._newest: int | None = None

    def follow(self, instrument_id: int) -> list[Latest]:
        """Keep to an instrument; return the unsettled gaps that others were told of already."""
        return list(self._standing.setdefault(instrument_id, {}).values())

    def forget(self, instrument_id: int) -> None:
        """Drop an instrument that nobody follows."""
        self._standing.pop(instrument_id, None)
        if not self._standing:
            self._newest = None

    def hear(self, latest: Latest) -> bool:
        """Take note of what the bus says; tell whether to look."""
        if latest.instrument_id not in self._standing or self._known(latest) == latest.data:
            return False
        self._hinted.add(latest.id)
        return True

    async def look(self) -> list[Latest]:
        """Return what is news of the followed instruments' gaps; raises StoreError."""
        followed, hinted = list(self._standing), set(self._hinted)
        if not followed:
            return []
        known = hinted.union(*self._standing.values())
        async with self._database.connection() as connection:
            newest = await gaps.newest(connection)
            since = newest if self._newest is None else self._newest
            found = await gaps.told(connection, followed, sorted(known), since)
        self._newest = newest
        self._hinted -= hinted
        return list(self._news(found))

    def _news(self, found: list[Gap]) -> Iterator[Latest]:
        for gap in found:
            latest = self._latest(gap)
            if gap.instrument_id in self._standing and self._known(latest) != latest.data:
                self._remember(gap, latest)
                yield latest

    def _latest(self, gap: Gap) -> Latest:
        instrument = self._catalogue.by_id(gap.instrument_id).instrument
        name = Name(instrument.exchange, instrument.symbol)
        return gap_change(name, gap, gap.closed_at or gap.opened_at)

    def _known(self, latest: Latest) -> str | None:
        had = self._standing[latest.instrument_id].get(latest.id)
        return had.data if had else self._ended.get(latest.id)

    def _remember(self, gap: Gap, latest: Latest) -> None:
        if gap.state in _UNSETTLED:
            self._standing[gap.instrument_id][gap.gap_id] = latest
            return
        self._standing[gap.instrument_id].pop(gap.gap_id, None)
        self._ended[gap.gap_id] = latest.data
        if len(self._ended) > _ENDED_REMEMBERED:
            del self._ended[next(iter(self._ended))]
