"""Claims while another transaction holds a snapshot open: what it keeps from vacuum must not slow them."""

import re
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from bench import markets, pairs, stores
from bench.effort import Effort
from bench.pairs import Pair, paired
from bench.reports import LOST, Report, report
from bench.rounds import Figures, percentiles
from db.connections import connected

if TYPE_CHECKING:
    from bench.markets import Market
    from db.connections import Connection

_PARTS: Final = 5
"""The first is compared with the last: each a minute of ``--seconds 300``."""

_DEAD: Final = "SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables"


async def measure(url: str, effort: Effort) -> Report:
    """Store and claim for ``effort.seconds`` beside a snapshot, in turns with a twin that has none.

    And with one that begins anew with each part, as both did with the first. What the machine does meanwhile
    meets all alike, so the ratio to that one tells what time and the snapshot cost. Only claims are timed.
    """
    market = await markets.opened(url, effort.ticks)
    async with (
        stores.copied(url) as free_url,
        stores.copied(url) as held_url,
        holding(held_url),
        paired(free_url, market) as free,
        paired(held_url, market) as held,
    ):
        measured = await _measured({"free": free, "held": held}, url, market, effort)
    source = (
        f"{pairs.COMMIT} ticks a commit for {effort.seconds:g} s, beside a snapshot held open and without"
    )
    limits = {name: re.sub("free|held", "fresh", name) for name in measured if "fresh" not in name}
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


async def _figures(pair: Pair) -> Figures:
    ticks, _, claims = pair.taken()
    return {
        "ticks/s": ticks / sum(claims),
        "claims/s": len(claims) / sum(claims),
        **percentiles(claims),
        "dead rows": await _dead_rows(pair.connection),
        LOST: await pair.left(),
    }


async def _measured(
    beside: Mapping[str, Pair], url: str, market: "Market", effort: Effort
) -> dict[str, Sequence[Figures]]:
    measured: dict[str, Sequence[Figures]] = {}
    first: dict[str, float] = {}
    began = time.monotonic()
    for part in range(1, _PARTS + 1):
        async with stores.copied(url) as fresh_url, paired(fresh_url, market) as fresh:
            every = {"fresh": fresh, **beside}
            await _together(every.values(), began + effort.seconds * part / _PARTS)
            spent = time.monotonic() - began
            for name, pair in every.items():
                figures = await _figures(pair)
                of_first = figures["ticks/s"] / first.setdefault(name, figures["ticks/s"])
                measured[f"{part}: {name}, to {spent:.0f} s"] = [{**figures, "of first": of_first}]
    return measured


async def _together(beside: Collection[Pair], until: float) -> None:
    """Let each do a step in turn, once at least."""
    while True:
        for pair in beside:
            await pair.step()
        if time.monotonic() >= until:
            return


async def _dead_rows(connection: "Connection") -> int:
    """Return how many rows are dead, as far as the server's statistics have heard."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    dead: int = await connection.fetchval(_DEAD)
    return dead
