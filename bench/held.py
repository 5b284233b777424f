"""Claims while another transaction holds a snapshot open: what it keeps from vacuum must not slow them."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
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
from market.trades import Trade
from workers.claiming import Claimed

if TYPE_CHECKING:
    from bench.markets import Market
    from db.connections import Connection

_COMMIT: Final = 200
_WINDOWS: Final = 5
"""The first is compared with the last: each a minute of ``--seconds 300``."""

_DEAD: Final = "SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables"


async def measure(url: str, effort: Effort) -> Report:
    """Store and claim in turns for ``effort.seconds``, all beside one snapshot; only the claims are timed."""
    market = await markets.opened(url, effort.ticks)
    async with stores.copied(url) as copy, _held(copy):
        measured = await _measured(copy, market, effort)
    names = list(measured)
    source = f"{_COMMIT} ticks a commit for {effort.seconds:g} s, beside a snapshot held open"
    return report("held", source, measured, {names[-1]: names[0]})


@asynccontextmanager
async def _held(url: str) -> AsyncIterator[None]:
    """Hold a snapshot, as a long report or a forgotten session does."""
    async with (
        connected(url, "bench snapshot") as connection,
        connection.transaction(isolation="repeatable_read"),
    ):
        await connection.execute("SELECT FROM shards")
        yield


async def _measured(url: str, market: "Market", effort: Effort) -> dict[str, Sequence[Figures]]:
    tape = tapes.repeated(tapes.recorded().trades, list(market.places))
    measured: dict[str, Sequence[Figures]] = {}
    async with connected(url, "bench writer") as writing, connected(url, "bench claimant") as claiming:
        await ensure_days(writing, [day_of(market.tape[-1].ts + ahead * DAY) for ahead in range(2)])
        writer, claimer = TickWriter(writing, await enlist(writing)), new_claimer()
        began = time.monotonic()
        for number in range(1, _WINDOWS + 1):
            until = began + effort.seconds * number / _WINDOWS
            commit = partial(_commit, writer, tape, market)
            ticks, claims = await _claimed(commit, partial(claimer.claim, claiming, 1), until)
            left = await claiming.fetchval("SELECT coalesce(sum(ticks), 0) FROM batches")
            dead = await _dead_rows(claiming)
            measured[f"{number}: to {time.monotonic() - began:.1f} s"] = [_figures(ticks, claims, dead, left)]
    return measured


async def _commit(writer: TickWriter, tape: Iterator[Trade], market: "Market") -> None:
    await writer.write(Ticks(trades=list(islice(tape, _COMMIT))), market.places)


async def _claimed(
    commit: Callable[[], Awaitable[None]], claim: Callable[[], Awaitable[Claimed | None]], until: float
) -> tuple[int, list[float]]:
    """Return how many ticks were claimed, and the seconds of each claim; there is at least one."""
    ticks, claims = 0, list[float]()
    while not claims or time.monotonic() < until:
        await commit()
        began = time.perf_counter()
        claimed = await claim()
        claims.append(time.perf_counter() - began)
        ticks += claimed.ticks if claimed else 0
    return ticks, claims


async def _dead_rows(connection: "Connection") -> int:
    """Return how many rows are dead, as far as the server's statistics have heard."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    dead: int = await connection.fetchval(_DEAD)
    return dead


def _figures(ticks: int, claims: Sequence[float], dead: int, left: int) -> Figures:
    return {
        "ticks/s": ticks / sum(claims),
        "claims/s": len(claims) / sum(claims),
        "p50 ms": float(np.percentile(claims, 50)) * 1000,
        "p99 ms": float(np.percentile(claims, 99)) * 1000,
        "dead rows": dead,
        LOST: left,
    }
