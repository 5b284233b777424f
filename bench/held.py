"""Claims while another transaction holds a snapshot open: what it keeps from vacuum must not slow them."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from bench import markets, stores, tapes
from bench.claimant import new_claimer
from bench.effort import Effort
from bench.reports import LOST, Report, report
from bench.rounds import Figures
from db.connections import connected
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.times import DAY
from workers.claiming import Claimer

if TYPE_CHECKING:
    from bench.markets import Market
    from db.connections import Connection

_COMMIT: Final = 200
_PARTS: Final = 5
"""The first is compared with the last: each a minute of ``--seconds 300``."""

_DEAD: Final = "SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables"


async def measure(url: str, effort: Effort) -> Report:
    """Store and claim for ``effort.seconds`` beside a snapshot, in turns with a twin that has none.

    What the machine does meanwhile meets both, so the ratio of a part tells what the snapshot costs. Only
    the claims are timed.
    """
    market = await markets.opened(url, effort.ticks)
    async with (
        stores.copied(url) as free_url,
        stores.copied(url) as held_url,
        holding(held_url),
        _lane(free_url, market) as free,
        _lane(held_url, market) as held,
    ):
        measured = await _measured({"free": free, "held": held}, effort)
    source = f"{_COMMIT} ticks a commit for {effort.seconds:g} s, beside a snapshot held open and without"
    limits = {name: name.replace("held", "free") for name in measured if "held" in name}
    return report("held", source, measured, limits)


@asynccontextmanager
async def holding(url: str) -> AsyncIterator[None]:
    """Hold a snapshot, as a long report or a forgotten session does."""
    async with (
        connected(url, "bench snapshot") as connection,
        connection.transaction(isolation="repeatable_read"),
    ):
        await connection.execute("SELECT FROM shards")
        yield


class _Lane:
    """A writer and a claimant of one database, and what they did since it was asked last."""

    def __init__(
        self, commit: Callable[[], Awaitable[None]], claimer: Claimer, connection: "Connection"
    ) -> None:
        self._commit = commit
        self._claimer = claimer
        self._connection = connection
        self._ticks = 0
        self._claims: list[float] = []

    async def step(self) -> None:
        """Store once, and claim it."""
        await self._commit()
        began = time.perf_counter()
        claimed = await self._claimer.claim(self._connection, 1)
        self._claims.append(time.perf_counter() - began)
        self._ticks += claimed.ticks if claimed else 0

    async def figures(self) -> Figures:
        """Return what was done, and begin again."""
        ticks, claims = self._ticks, self._claims
        self._ticks, self._claims = 0, []
        return {
            "ticks/s": ticks / sum(claims),
            "claims/s": len(claims) / sum(claims),
            "p50 ms": float(np.percentile(claims, 50)) * 1000,
            "p99 ms": float(np.percentile(claims, 99)) * 1000,
            "dead rows": await _dead_rows(self._connection),
            LOST: await self._connection.fetchval("SELECT coalesce(sum(ticks), 0) FROM batches"),
        }


@asynccontextmanager
async def _lane(url: str, market: "Market") -> AsyncIterator[_Lane]:
    async with connected(url, "bench writer") as writing, connected(url, "bench claimant") as claiming:
        await ensure_days(writing, [day_of(market.tape[-1].ts + ahead * DAY) for ahead in range(2)])
        writer = TickWriter(writing, await enlist(writing))
        tape = tapes.repeated(tapes.recorded().trades, list(market.places))

        async def commit() -> None:
            await writer.write(Ticks(trades=list(islice(tape, _COMMIT))), market.places)

        yield _Lane(commit, new_claimer(), claiming)


async def _measured(lanes: Mapping[str, _Lane], effort: Effort) -> dict[str, Sequence[Figures]]:
    measured: dict[str, Sequence[Figures]] = {}
    began = time.monotonic()
    for part in range(1, _PARTS + 1):
        until = began + effort.seconds * part / _PARTS
        await _together(lanes.values(), until)
        spent = time.monotonic() - began
        for name, lane in lanes.items():
            measured[f"{part}: {name}, to {spent:.0f} s"] = [await lane.figures()]
    return measured


async def _together(lanes: Collection[_Lane], until: float) -> None:
    """Let each do a step in turn, once at least."""
    while True:
        for lane in lanes:
            await lane.step()
        if time.monotonic() >= until:
            return


async def _dead_rows(connection: "Connection") -> int:
    """Return how many rows are dead, as far as the server's statistics have heard."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    dead: int = await connection.fetchval(_DEAD)
    return dead
