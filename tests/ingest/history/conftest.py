"""Healing on a real database, from a venue on a loopback port."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from db import logins
from db.chunks import BACKFILL, Chunk, Lease, claim
from db.connections import connected
from ingest.history.backfilling import Backfilling
from ingest.history.fetching import Desk
from ingest.history.healing import Healing
from ingest.history.tallies import HistoryTally
from ingest.settings import HistorySettings
from market.publications import Latest
from runtime.clock import now
from tests.ingest.freely import freely
from tests.ingest.history.past import Place, placed

if TYPE_CHECKING:
    from db.connections import Connection


NOBODY_FOLDS = HistorySettings(yield_above_seconds=3600)
"""So that nothing waits for workers."""


@asynccontextmanager
async def desk_of(told: list[Latest], settings: HistorySettings = NOBODY_FOLDS) -> AsyncIterator[Desk]:
    def tell(latest: Sequence[Latest]) -> None:
        told.extend(latest)

    async with httpx.AsyncClient() as http:
        yield Desk(freely(http), settings, HistoryTally(), tell, now, "test")


class Healer:
    """Claims and heals in the name of one holder."""

    def __init__(
        self, place: Place, desk: Desk, told: list[Latest], connection: "Connection", lease: Lease
    ) -> None:
        self.place = place
        self.desk = desk._replace(clock=self._now)
        self.told = told
        self.moment: int | None = None
        """What its clock says, where that is not the machine's."""
        self._healing = Healing(connection, self.desk, lease)
        self._backfilling = Backfilling(connection, self.desk, lease)
        self._lease = lease

    async def claim(self) -> Chunk | None:
        return await claim(self.place.connection, self._lease)

    async def heal(self) -> None:
        """Heal what is due, once."""
        chunk = await self.claim()
        assert chunk is not None
        await (self._backfilling.backfill if chunk.kind == BACKFILL else self._healing.heal)(chunk)

    async def heal_to_the_end(self) -> None:
        """Heal until no chunk waits, whatever was postponed."""
        while not await self.place.ended():
            await self.place.hurry()
            await self.heal()

    def _now(self) -> int:
        return now() if self.moment is None else self.moment


@pytest.fixture
async def place(postgres_url: str) -> AsyncIterator[Place]:
    async with placed(postgres_url) as one:
        yield one


@pytest.fixture
async def healer(place: Place) -> AsyncIterator[Healer]:
    told: list[Latest] = []
    lease = Lease("test", 60.0)
    async with (
        desk_of(told) as desk,
        connected(logins.address_of(place.url, logins.BACKFILL), "test healer") as connection,
    ):
        yield Healer(place, desk, told, connection, lease)
