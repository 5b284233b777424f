"""A writer and a claimant of one database, in turns: each step stores a commit, and claims it."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from bench import tapes
from bench.claimant import new_claimer
from db.claims import SESSION
from db.connections import connected
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.times import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.markets import Market
    from db.connections import Connection
    from db.instruments import Listed
    from market.trades import Trade
    from workers.claiming import Claimer

COMMIT: Final = 200
"""Ticks a step."""


class Pair:
    """What both do, and how long each commit and each claim took since somebody asked last, in seconds."""

    def __init__(
        self,
        writer: TickWriter,
        places: "Mapping[int, Listed]",
        tape: "Iterator[Trade]",
        claimer: "Claimer",
        connection: "Connection",
    ) -> None:
        self._writer = writer
        self._places = places
        self._tape = tape
        self._claimer = claimer
        self.connection = connection
        self._ticks = 0
        self._commits: list[float] = []
        self._claims: list[float] = []

    async def step(self) -> None:
        """Store once, and claim it."""
        ticks = Ticks(trades=list(islice(self._tape, COMMIT)))
        began = time.perf_counter()
        await self._writer.write(ticks, self._places)
        stored = time.perf_counter()
        claimed = await self._claimer.claim(self.connection, 1)
        self._commits.append(stored - began)
        self._claims.append(time.perf_counter() - stored)
        self._ticks += claimed.ticks if claimed else 0

    def taken(self) -> tuple[int, list[float], list[float]]:
        """Return how many ticks were claimed, how long commits and claims took, and begin again."""
        taken = self._ticks, self._commits, self._claims
        self._ticks, self._commits, self._claims = 0, [], []
        return taken

    async def left(self) -> int:
        """Return how many ticks nobody has claimed."""
        left: int = await self.connection.fetchval("SELECT coalesce(sum(ticks), 0) FROM batches")
        return left


@asynccontextmanager
async def paired(url: str, market: "Market") -> AsyncIterator[Pair]:
    """Open both on a copy of a market's database."""
    async with (
        connected(url, "bench writer") as writing,
        connected(url, "bench claimant", SESSION) as claiming,
    ):
        await ensure_days(writing, [day_of(market.tape[-1].ts + ahead * DAY) for ahead in range(2)])
        writer = TickWriter(writing, await enlist(writing))
        tape = tapes.repeated(tapes.recorded().trades, list(market.places))
        yield Pair(writer, market.places, tape, new_claimer(), claiming)
